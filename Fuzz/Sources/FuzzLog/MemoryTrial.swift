import Glibc
import LogReading

/// Reads the payload as the single file of a server before 5.2, while a writer changes it and makes it anew,
/// or as a copy of that file.
///
/// The bytes between a file's head and its log are zeros, and not a part of the input. Of the details:
///
/// ```
/// byte 0   layout: 0 2.0   1 2.1   2 3.0   3 4.0 to 5.1 (the two lowest bits)
///          then 1 bit each: the end mark is the end; reading starts at the tail; records are used in place;
///          4.0's ring in place of 4.1's; all that leads to the log is corrected; the file itself is named
/// byte 1   how many of the writer's steps, 8 bytes each, stand at the end of the payload, modulo 16
/// byte 2   whether the writer also acts between two looks at the same records (lowest bit)
/// ```
struct MemoryTrial {
  private enum Layout: UInt8 {
    case v20, v21, sections, chunks
  }

  private let scenario: Scenario
  private let layout: Layout
  private let isNamed: Bool
  private let steps: [WriterStep]
  private let image: [UInt8]

  private static let page = 4096
  private static let flatHead = 66432
  private static let listNumber = 65564

  init(_ scenario: Scenario) {
    self.scenario = scenario
    let (flags, count, _) = scenario.details
    layout = Layout(rawValue: flags & 3) ?? .chunks
    isNamed = flags & 0x80 != 0
    let stepCount = min(Int(count & 15), scenario.payload.count / WriterStep.byteCount)
    let end = scenario.payload.endIndex - stepCount * WriterStep.byteCount
    steps = (0..<stepCount).map { WriterStep(scenario.payload[(end + $0 * WriterStep.byteCount)...]) }
    let payload = Array(scenario.payload[..<end])
    let isRight = scenario.isMended ?? (flags & 0x40 != 0)
    switch layout {
    case .v20, .v21: image = Self.flat(payload, isOldest: layout == .v20, isRight: isRight)
    case .sections: image = Self.sections(payload, isRight: isRight)
    case .chunks: image = Self.chunks(payload, isTurning: flags & 0x20 != 0, isRight: isRight)
    }
  }

  private var name: String { layout == .v20 || layout == .v21 ? "_.vsl" : "_.vsm" }

  func run() {
    let directory = Scratch.shared.path + "/" + Scratch.memory
    let path = directory + "/" + name
    let steps = MemorySteps(path, image)
    if scenario.isCopied {
      CaptureReading(scenario).read(isNamed ? path : directory)
      unlink(path)
      return
    }
    let writer = RingWriter(steps: self.steps, steps.perform)
    let isMortem = scenario.details.0 & 4 != 0
    let instance =
      isNamed ? InstanceFollower(file: path) : InstanceFollower(path: directory, isPostMortem: isMortem)
    RingReading(scenario).follow(instance, byteCount: image.count, writer)
    unlink(path)
  }

  // MARK: Images

  /// A file of 2.0 or 2.1: 44 bytes for the head, and the log behind it, which ends at the end of a page.
  private static func flat(_ payload: [UInt8], isOldest: Bool, isRight: Bool) -> [UInt8] {
    let area = Array(payload.dropFirst(44))
    let start = flatHead + (page - (flatHead + area.count) % page) % page
    var image = [UInt8](repeating: 0, count: start) + area
    image.replaceSubrange(0..<min(44, payload.count), with: payload.prefix(44))
    // The count of turns.
    image.replaceSubrange(
      568..<576, with: payload.dropFirst(36).prefix(8) + zeros(8 - max(0, min(8, payload.count - 36))))
    image.put(UInt32(isOldest ? 4_185_512_498 : 4_185_512_499), at: 0)
    guard isRight else { return image }
    image.put(UInt32(flatHead), at: 4)
    image.put(UInt32(start), at: isOldest ? 16 : 24)
    image.put(UInt32(area.count), at: isOldest ? 20 : 28)
    let pointer = isOldest ? 24 : 32
    image.put(area.isEmpty ? 0 : image.word(at: pointer) % UInt32(area.count), at: pointer)
    return image
  }

  /// A file of 3.0: the list's number, and sections behind it.
  private static func sections(_ payload: [UInt8], isRight: Bool) -> [UInt8] {
    var payload = payload
    if isRight, payload.count < 8 || payload.word(at: 4) != 0x4390_7B6E {
      // A section in front of the log, so that the log ends at the end of a page.
      let log = max(16, (payload.count - 4) & ~3)
      let total = listNumber + 4 + 156 + 156 + log
      let padding = (page - total % page) % page & ~3
      var list = zeros(4) + section("Pad", padding) + zeros(padding) + section("Log", log)
      list += payload.dropFirst(4).prefix(log) + zeros(log - max(0, min(log, payload.count - 4)))
      list.replaceSubrange(0..<4, with: [1, 0, 0, 0])
      payload = list
    }
    var image = zeros(listNumber) + payload
    image.put(UInt32(4_185_512_502), at: 0)
    image.put(UInt32(image.count), at: 24)
    // The writer is this process, which runs.
    image.put(UInt32(getpid()), at: 16)
    return image
  }

  private static func section(_ kind: String, _ byteCount: Int) -> [UInt8] {
    var section = zeros(156)
    section.put(UInt32(0x4390_7B6E), at: 0)
    section.put(UInt32(byteCount + 156), at: 4)
    section.replaceSubrange(12..<12 + kind.utf8.count, with: kind.utf8)
    return section
  }

  /// A file of 4.0 to 5.1, from the marker's end on.
  private static func chunks(_ payload: [UInt8], isTurning: Bool, isRight: Bool) -> [UInt8] {
    var image = Array("VSMHEAD0".utf8) + payload
    if image.count < 48 { image += zeros(48 - image.count) }
    guard isRight else { return image }
    if image.count % 8 > 0 { image += zeros(8 - image.count % 8) }
    image.put(UInt32(image.count), at: 16)
    image.put(UInt32(0), at: 20)
    image.put(UInt32(image.word(at: 32) | 1), at: 32)
    guard image.count >= 48 + 168 + 96, !image[48..<56].elementsEqual("VSMCHUNK".utf8) else { return image }
    image.put(UInt32(48), at: 24)
    image.put(UInt32(0), at: 28)
    image.replaceSubrange(48..<56, with: "VSMCHUNK".utf8)
    image.put(UInt32(image.count - 48), at: 56)
    for offset in [60, 64, 68, 76] { image.put(UInt32(0), at: offset) }
    image.put(UInt32(0x0067_6F4C), at: 72)
    let ring = 48 + 168
    image.replaceSubrange(ring..<ring + 8, with: (isTurning ? "VSLHEAD0" : "VSLHEAD1").utf8)
    if !isTurning {
      image.put(UInt32((image.count - ring - 88) / 32), at: ring + 8)
      image.put(UInt32(0), at: ring + 12)
    }
    return image
  }

  private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: max(0, count)) }
}

/// The actions of a writer on its file.
private final class MemorySteps {
  private let path: String
  private var image: [UInt8]
  private var file: WritableFile

  init(_ path: String, _ image: [UInt8]) {
    self.path = path
    self.image = image
    file = WritableFile(path)
    file.write(image, at: 0)
  }

  /// The parts of the heads that readers look at.
  private static let heads = [
    8, 16, 20, 24, 28, 32, 36, 40, 568, 572, 65564, 65572, 65576, 65580, 56, 216, 288, 292,
  ]

  /// Stores a word anywhere in the last 16 KiB, or in a head; truncates the file; or makes it anew.
  func perform(_ step: WriterStep) {
    let place = step.place & 0xFFF_FFFF
    switch step.place >> 28 {
    case 0: file.truncate(to: place % max(1, image.count))
    case 1:
      unlink(path)
      file = WritableFile(path)
      file.write(image, at: 0)
    case 2...7: store(step.value, at: Self.heads[place % Self.heads.count])
    default:
      let from = max(0, image.count - 16384) & ~3
      store(step.value, at: from + place % max(1, (image.count - from) / 4) * 4)
    }
  }

  private func store(_ bytes: [UInt8], at offset: Int) {
    guard offset + bytes.count <= image.count else { return }
    file.write(bytes, at: offset)
  }
}

extension [UInt8] {
  fileprivate func word(at offset: Int) -> UInt32 {
    self[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  fileprivate mutating func put(_ word: UInt32, at offset: Int) {
    for index in 0..<4 { self[offset + index] = UInt8(truncatingIfNeeded: word >> (8 * UInt32(index))) }
  }
}
