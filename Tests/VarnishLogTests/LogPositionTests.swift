import TestSupport
import Testing
import VarnishLog

/// Comparing and storing positions.
struct LogPositionTests {
  private static let file = LogIncarnation(device: 64_768, inode: 1234)
  private static let ring = LogIncarnation(
    device: 64_768, inode: 1234, writer: .init(pid: 4899, birth: 1_795_258_723))

  @Test func `positions of one log are compared by their place`() {
    let early = LogPosition(Self.ring, place: 88)
    let late = LogPosition(Self.ring, place: 1 << 40)
    #expect(early.precedes(late) == true)
    #expect(late.precedes(early) == false)
    #expect(early.precedes(early) == false)
    let between: Int64 = 1_099_511_627_688
    #expect(early.distance(to: late) == between)
    #expect(late.distance(to: early) == -between)
    let most = Int64(LogPosition.placeMax)
    #expect(LogPosition(Self.ring, place: 0).distance(to: LogPosition(Self.ring, place: .max)) == most)
  }

  @Test(arguments: [
    LogIncarnation(device: 64_769, inode: 1234, writer: ring.writer),
    LogIncarnation(device: 64_768, inode: 1235, writer: ring.writer),
    LogIncarnation(device: 64_768, inode: 1234, writer: .init(pid: 4900, birth: 1_795_258_723)),
    LogIncarnation(device: 64_768, inode: 1234, writer: .init(pid: 4899, birth: 1_795_258_724)),
    file,
  ])
  func `positions of different logs are not comparable`(other: LogIncarnation) {
    let here = LogPosition(Self.ring, place: 88)
    let there = LogPosition(other, place: 88)
    #expect(here.precedes(there) == nil)
    #expect(here.distance(to: there) == nil)
    #expect(here != there)
  }

  /// The text is a stored format: a release must be able to read what an earlier one has stored.
  @Test(arguments: [
    (LogPosition(file, place: 4), "1 file 64768 1234 4"),
    (LogPosition(ring, place: 123_456), "1 ring 64768 1234 4899 1795258723 123456"),
    (
      LogPosition(
        LogIncarnation(device: .max, inode: .max, writer: .init(pid: .min, birth: .min)), place: .max),
      "1 ring 18446744073709551615 18446744073709551615 -2147483648 -9223372036854775808 4611686018427387904"
    ),
  ])
  func `a position is stored as text and read again`(position: LogPosition, text: String) {
    #expect(position.description == text)
    #expect(LogPosition(text) == position)
  }

  @Test func `any position survives being stored`() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<1000 {
      let writer = LogIncarnation.Writer(
        pid: .random(in: .min ... .max, using: &random), birth: .random(in: .min ... .max, using: &random))
      let position = LogPosition(
        LogIncarnation(
          device: random.next(), inode: random.next(), writer: Bool.random(using: &random) ? writer : nil),
        place: random.next() >> UInt64.random(in: 0..<64, using: &random))
      #expect(LogPosition(position.description) == position, "\(random)")
    }
  }

  @Test(arguments: [
    "", " ", "1", "1 file", "1 file 1 2", "1 ring 1 2 3", "1 ring 1 2 3 4", "1 file 1 2 3 4",
    "1 ring 1 2 3 4 5 6", "2 file 1 2 3", "01 file 1 2 3", "1 File 1 2 3", "1 pipe 1 2 3",
    "1  file 1 2 3", " 1 file 1 2 3", "1 file 1 2 3 ", "1 file 1 2 3\n", "1\tfile\t1\t2\t3",
    "1 file +1 2 3", "1 file -1 2 3", "1 file 01 2 3", "1 file 1 2 0x3", "1 file 1 2 3.0", "1 file 1  3",
    "1 file 18446744073709551616 2 3", "1 file 1 2 4611686018427387905", "1 file 1 2 18446744073709551615",
    "1 ring 1 2 2147483648 4 5", "1 ring 1 2 3 9223372036854775808 5", "1 ring 1 2 -0 4 5",
    "1 file 1 2 \u{661}", "1 file 1 2 3\u{0}", "1 file 1 2 \u{301}3",
    "1 file " + String(repeating: "1", count: 200) + " 2 3",
    String(repeating: " ", count: 1 << 20),
  ])
  func `anything else than a stored position is refused`(text: String) {
    #expect(LogPosition(text) == nil)
  }

  /// A damaged text is rejected, or gives the position that is stored as this text.
  @Test func `a damaged text gives nothing that it doesn't say`() {
    var random = SeededGenerator(seed: 6)
    let texts = [LogPosition(Self.file, place: 8_589_934_596), LogPosition(Self.ring, place: 77)]
      .map { Array($0.description.utf8) }
    for _ in 0..<20_000 {
      var bytes = texts[Int.random(in: 0..<texts.count, using: &random)]
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
        case 1: bytes.remove(at: index)
        default: bytes.insert(UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &random), at: index)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      guard let position = LogPosition(text) else { continue }
      #expect(Array(position.description.utf8) == Array(text.utf8), "\(random)")
    }
  }
}
