import VarnishLog

/// Reads the payload as a log segment in an instance's directory, while a writer changes it, or as a copy of one.
///
/// Of the details:
///
/// ```
/// byte 0   head: 0 unchanged   1 corrected, narrow   2, 3 corrected, wide (the two lowest bits)
///          then 1 bit each: the end mark is the end; reading starts at the tail; records are used in place
/// byte 1   how many of the writer's steps, 8 bytes each, stand at the end of the payload, modulo 16
/// byte 2   whether the writer also acts between two looks at the same records (lowest bit)
/// ```
struct RingTrial {
  private let scenario: Scenario
  private let segment: [UInt8]
  private let steps: [WriterStep]

  init(_ scenario: Scenario) {
    self.scenario = scenario
    let stepCount = min(Int(scenario.details.1 & 15), scenario.payload.count / WriterStep.byteCount)
    let end = scenario.payload.endIndex - stepCount * WriterStep.byteCount
    steps = (0..<stepCount).map {
      WriterStep(scenario.payload[(end + $0 * WriterStep.byteCount)...])
    }
    var segment = Array(scenario.payload[..<end])
    if segment.count > SegmentHead.byteCount {
      switch scenario.details.0 & 3 {
      case 0: break
      case 1: SegmentHead.mend(&segment, NarrowRecords.ringMagic)
      default: SegmentHead.mend(&segment, WideRecords.ringMagic)
      }
    }
    self.segment = segment
  }

  func run() {
    let scratch = Scratch.shared
    let file = WritableFile(scratch.path + "/" + Scratch.log)
    file.write(segment, at: 0)
    scratch.write(
      Array("# 1 1\n+ _.Log.fuzz 0 \(segment.count) Log Log\n".utf8), to: Scratch.workerIndex)
    if scenario.isCopied {
      CaptureReading(scenario).read(scratch.path + "/" + Scratch.log)
      return
    }
    let writer = RingWriter(steps: steps, SegmentSteps(file, byteCount: segment.count).perform)
    RingReading(scenario).follow(scratch.path, mappedByteCount: segment.count, writer)
  }
}

/// The parts of a segment's head that must be right for a reader to get anywhere.
enum SegmentHead {
  static let byteCount = 88

  /// Writes the marker and the greatest segment size that fits.
  static func mend(_ segment: inout [UInt8], _ magic: UInt64) {
    let size = (segment.count - byteCount) / 4 / 8
    for index in 0..<8 {
      segment[index] = UInt8(truncatingIfNeeded: magic >> (8 * UInt64(index)))
      segment[8 + index] = UInt8(truncatingIfNeeded: size >> (8 * index))
    }
  }
}

/// A single step of a writer.
struct WriterStep {
  static let byteCount = 8

  /// A place, to be taken modulo the available size.
  let place: Int
  let value: [UInt8]

  init(_ bytes: ArraySlice<UInt8>) {
    let bytes = Array(bytes.prefix(Self.byteCount))
    place = bytes[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
    value = Array(bytes[4...])
  }
}

/// Writes into a log that is being read.
final class RingWriter {
  private let steps: [WriterStep]
  private let perform: (WriterStep) -> Void
  private var next = 0

  init(steps: [WriterStep], _ perform: @escaping (WriterStep) -> Void) {
    self.steps = steps
    self.perform = perform
  }

  /// Whether there is nothing left to do.
  var isDone: Bool { next == steps.count }

  /// Performs the next step.
  func step() {
    guard next < steps.count else { return }
    next += 1
    perform(steps[next - 1])
  }
}

/// The actions of a writer on a segment.
private final class SegmentSteps {
  private let file: WritableFile
  private let byteCount: Int

  init(_ file: consuming WritableFile, byteCount: Int) {
    self.file = file
    self.byteCount = byteCount
  }

  /// Stores a word, announces a segment number, or truncates the file.
  func perform(_ step: WriterStep) {
    let place = step.place & 0xFFFF_FFF
    switch step.place >> 28 {
    case 0: file.truncate(to: place % byteCount)
    case 1...5: file.write(step.value, at: 16)
    default:
      let word = place % max(1, byteCount / 4)
      if word * 4 + 4 <= byteCount { file.write(step.value, at: word * 4) }
    }
  }
}
