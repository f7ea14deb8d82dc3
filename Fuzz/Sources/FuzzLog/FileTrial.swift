import FuzzSupport
import LogReading
import VarnishLog

/// Reads the payload as a log file: once mapped, once through a pipe that gives it in pieces.
///
/// Both must give the same lines and the same verdict. Of the details, the first byte says how big the
/// pieces are (0 = as many bytes as are asked for) and, if its two highest bits are set, that more filling
/// than a pipe's window holds stands between the records: behind as many as the second byte says, of no
/// transaction or, if the third is odd, of the transaction of the record before it.
struct FileTrial {
  private let scenario: Scenario
  private let bytes: [UInt8]
  private let packetByteCount: Int?

  /// The capacity of a pipe in packet mode, in packets.
  private static let packetCountMax = 60
  /// How many bytes a reader looks at before it must know the numbering.
  private static let pipeWindowByteCount = 256 << 10

  init(_ scenario: Scenario) {
    self.scenario = scenario
    var bytes = Array(scenario.payload)
    if scenario.details.0 >= 0xC0 {
      Filling.insert(
        into: &bytes, behind: Int(scenario.details.1),
        ofTransaction: scenario.details.2 & 1 != 0)
    }
    let size: Int? = [nil, 5, 64, 1000][Int(scenario.details.0 & 3)]
    packetByteCount = size.map { min(4096, max($0, bytes.count / Self.packetCountMax + 1)) }
    self.bytes = bytes
  }

  func run() {
    Scratch.shared.write(bytes, to: Scratch.capture)
    let mapped = read(Scratch.shared.path + "/" + Scratch.capture, isMapped: true)
    guard let pipe = FilledPipe(bytes, packetByteCount: packetByteCount) else { return }
    let piped = read(pipe.path, isMapped: false)
    guard mapped.numbering == piped.numbering else {
      // The numbering is found within a window, and a pipe's is smaller.
      require(bytes.count > Self.pipeWindowByteCount, "another numbering when piped")
      return
    }
    require(mapped.verdict == piped.verdict, "\(mapped.verdict) mapped, \(piped.verdict) piped")
    require(
      mapped.unknownTags == piped.unknownTags,
      "unknown tags: \(String(describing: mapped.unknownTags)) mapped, \(String(describing: piped.unknownTags)) piped"
    )
    require(mapped.output == piped.output, "other lines when piped")
  }

  /// The end of reading, without the file's name.
  private enum Verdict: Equatable {
    case noLog
    case end
    case truncated(offset: Int, needed: Int, left: Int)
    case damaged(offset: Int)
    case undecodable(offset: Int)
    case oversized
    case failed(String)

    init(_ error: LogError) {
      self =
        switch error {
        case .notALog, .readFailed(reason: "EOF"): .noLog
        case .truncated(_, let offset, _, let needed, let left):
          .truncated(offset: offset, needed: needed, left: left)
        case .damaged(_, let offset, _, _): .damaged(offset: offset)
        case .undecodable(_, let offset, _): .undecodable(offset: offset)
        case .cannotOpen, .readFailed, .unclear, .system: .failed(error.description)
        }
    }
  }

  private struct Result {
    var verdict = Verdict.end
    var numbering: TagNumbering?
    var output: [UInt8] = []
    var unknownTags: UnknownTags?
  }

  private func read(_ path: String, isMapped: Bool) -> Result {
    do throws(LogError) {
      let file = try LogFile(path: path)
      switch file.kind {
      case .narrow: return try read(FileRecords<NarrowRecords>(file, assuming: nil), isMapped: isMapped)
      case .wide: return try read(FileRecords<WideRecords>(file, assuming: nil), isMapped: isMapped)
      case .old: throw .notALog(path: path)
      }
    } catch {
      return Result(verdict: Verdict(error))
    }
  }

  private func read<Layout: RecordLayout>(
    _ records: consuming FileRecords<Layout>, isMapped: Bool
  ) throws(LogError) -> Result {
    var source = records
    try source.begin()
    let chunks = source.chunks(of: 512, overlap: 2048)
    let tags = TagTable(source.numbering)
    guard isMapped, bytes.count > 4, !source.isDecoded else {
      return drain(&source, rendersAgain: false).result
    }
    // The whole file is in the window, whose beginning follows from the offset that the source computes for
    // any address.
    guard let anywhere = UnsafeRawPointer(bitPattern: 1 << 30) else { violated("no pointer") }
    let window = anywhere - source.offset(of: anywhere) + 4
    var (result, runs) = (Result(), [FoundRun]())
    withGuardedTail(of: window, byteCount: bytes.count - 4) {
      (result, runs) = drain(&source, rendersAgain: true)
    }
    if let chunks { ChunkCheck(tags).check(chunks, runs) }
    return result
  }

  private func drain<Layout: RecordLayout>(
    _ source: inout FileRecords<Layout>, rendersAgain: Bool
  ) -> (result: Result, runs: [FoundRun]) {
    var lines = LineMaker<Layout>(
      scenario, numbering: source.numbering, rendersAgain: rendersAgain)
    var result = Result(numbering: source.numbering)
    var (offset, runs) = (4, [FoundRun]())
    let picks = PickCheck(source.numbering)
    picks.begin(&source)
    do throws(LogError) {
      reading: while true {
        switch try source.next() {
        case .records(let run):
          let from = source.offset(of: run.start)
          require(run.byteCount > 0 && from >= offset, "records at \(from), after those before \(offset)")
          offset = from + run.byteCount
          runs.append(FoundRun(place: run.place, byteCount: run.byteCount))
          picks.check(run, source)
          require(source.isDecoded || offset <= bytes.count, "records up to \(offset) of \(bytes.count)")
          lines.addEach(run)
          if lines.isOversized {
            result.verdict = .oversized
            break reading
          }
        case .end: break reading
        case .idle, .overrun, .gap, .damaged: violated("a file is no ring")
        }
      }
    } catch {
      result.verdict = Verdict(error)
    }
    lines.finish()
    result.output = lines.output
    result.unknownTags = source.unknownTags
    return (result, runs)
  }
}
