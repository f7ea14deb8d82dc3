import Glibc
import TestSupport
import Testing
import VarnishLog

/// Compares the fields of a text, and the numbers in it, with those found byte by byte.
struct LogFieldsTests {
  private static let blanks: [UInt8] = [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D]

  /// The fields found by splitting the text into words.
  private static func fields(_ text: [UInt8]) -> [[UInt8]] {
    text.split { blanks.contains($0) }.map(Array.init)
  }

  private static func expectFields(of text: [UInt8], _ page: GuardedPage, at place: GuardedPage.Place) {
    let bytes = page.lay(text, at: place)
    let expected = fields(text)
    for number in -1...expected.count + 2 {
      let field = LogBytes(start: bytes, count: text.count).field(number).map { Array($0.buffer) }
      let wanted = expected.indices.contains(number - 1) ? expected[number - 1] : nil
      if field != wanted { Issue.record("field \(number) of \(text) at \(place): \(field as Any)") }
    }
  }

  @Test func `fields of any length are found wherever the text lies`() {
    let page = GuardedPage()
    var random = SeededGenerator(seed: 1)
    for count in 0...140 {
      for density in [2, 6, 40] {
        let text = (0..<count).map { _ in
          Int.random(in: 0..<density, using: &random) == 0
            ? Self.blanks.randomElement(using: &random)! : UInt8.random(in: 0x21...0xFF, using: &random)
        }
        for place in GuardedPage.places(for: count, using: &random) {
          Self.expectFields(of: text, page, at: place)
        }
      }
    }
  }

  @Test func `every byte either separates fields or belongs to one`() {
    let page = GuardedPage()
    for byte in UInt8.min...UInt8.max {
      for count in [1, 15, 16, 17, 63, 64, 65] {
        var text = [UInt8](repeating: 0x78, count: count)
        text[count / 2] = byte
        Self.expectFields(of: text, page, at: .end)
      }
    }
  }

  // MARK: Numbers

  /// The value that the C library gives for digits that may have a point among them.
  private static func decimal(_ text: [UInt8]) -> Double? {
    let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, !whole.isEmpty, text.count <= 17,
      parts.allSatisfy({ $0.allSatisfy(ASCII.isDigit) }),
      let digits = UInt64(String(decoding: text.filter(ASCII.isDigit), as: UTF8.self)), digits < 1 << 53
    else { return nil }
    return strtod(String(decoding: text, as: UTF8.self), nil)
  }

  private static func expectDecimal(_ text: [UInt8], _ page: GuardedPage, at place: GuardedPage.Place = .end)
  {
    let number = LogBytes(start: page.lay(text, at: place), count: text.count).plainDecimal
    if number != decimal(text) { Issue.record("\(String(decoding: text, as: UTF8.self)): \(number as Any)") }
  }

  @Test func `a number is what strtod makes of it`() {
    let page = GuardedPage()
    var random = SeededGenerator(seed: 2)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...20, using: &random)
      var text = (0..<count).map { _ in UInt8.random(in: 0x30...0x39, using: &random) }
      if count > 0, Bool.random(using: &random) {
        text[Int.random(in: 0..<count, using: &random)] = UInt8(ascii: ".")
      }
      Self.expectDecimal(text, page)
    }
  }

  @Test func `a time as it is usually logged is a number only if every byte is right`() {
    let page = GuardedPage()
    var random = SeededGenerator(seed: 3)
    for _ in 0..<2000 {
      var text = (0..<17).map { _ in UInt8.random(in: 0x30...0x39, using: &random) }
      text[10] = UInt8(ascii: ".")
      for place in GuardedPage.places(for: 17, using: &random) { Self.expectDecimal(text, page, at: place) }
    }
    let usual = Array("1700000000.123456".utf8)
    for index in usual.indices {
      for byte in UInt8.min...UInt8.max {
        var text = usual
        text[index] = byte
        Self.expectDecimal(text, page)
      }
    }
  }
}
