import CShims
import TestSupport
import Testing
import VarnishLog

/// Compares the copying of plain text with a check of each byte.
struct PlainTextTests {
  /// The ways of copying, which differ in the bytes that stop them.
  enum Way: CaseIterable {
    case plain, printable, text

    func passes(_ byte: UInt8) -> Bool {
      let isPrintable = (0x20..<0x7F).contains(byte)
      return switch self {
      case .plain: isPrintable && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
      case .printable: isPrintable
      case .text: byte != 0
      }
    }

    func copy(_ target: UnsafeMutableRawPointer?, _ source: UnsafeRawPointer, _ count: Int) -> Int {
      switch self {
      case .plain: shim_copy_plain(target, source, count)
      case .printable: shim_copy_printable(target, source, count)
      case .text: shim_copy_text(target, source, count)
      }
    }
  }

  /// Copies a text from a place into room that is just large enough, and compares the result.
  private static func expectCopy(
    of text: [UInt8], _ way: Way, _ page: GuardedPage, at place: GuardedPage.Place
  ) {
    let expected = text.prefix(while: way.passes)
    let source = page.lay(text, at: place)
    let room = [UInt8](unsafeUninitializedCapacity: text.count + 16) { room, count in
      room.initialize(repeating: 0xEE)
      let copied = way.copy(room.baseAddress, source, text.count)
      if copied != expected.count { Issue.record("\(copied) of \(text) at \(place)") }
      count = room.count
    }
    if !room.starts(with: expected) { Issue.record("another text than \(text) at \(place)") }
    // At most fifteen bytes behind the text may be written.
    if room.last != 0xEE { Issue.record("too far behind \(text) at \(place)") }
  }

  @Test(arguments: Way.allCases)
  func `texts of any length are copied wherever they lie`(way: Way) throws {
    let page = GuardedPage()
    var random = SeededGenerator(seed: 1)
    let stop = try #require((UInt8.min...UInt8.max).first { !way.passes($0) })
    for count in 0...100 {
      let plain = (0..<count).map { _ in UInt8(ascii: "a") + UInt8.random(in: 0..<26, using: &random) }
      for place in GuardedPage.places(for: count, using: &random) {
        Self.expectCopy(of: plain, way, page, at: place)
      }
      for index in 0..<count {
        var text = plain
        text[index] = stop
        Self.expectCopy(of: text, way, page, at: .end)
        Self.expectCopy(of: text, way, page, at: .start(Int.random(in: 0...32, using: &random)))
        Self.expectCopy(of: text, way, page, at: .across(index))
      }
    }
  }

  @Test(arguments: Way.allCases)
  func `every byte is either copied or stops the copy`(way: Way) {
    let page = GuardedPage()
    for byte in UInt8.min...UInt8.max {
      for count in 1...34 {
        for index in Set([0, count / 2, count - 1]) {
          var text = [UInt8](repeating: 0x78, count: count)
          text[index] = byte
          Self.expectCopy(of: text, way, page, at: .end)
        }
      }
    }
  }

  @Test func `the bits of sixteen answers are in their order`() {
    for index in 0..<16 {
      var bytes = [UInt8](repeating: 0, count: 16)
      bytes[index] = UInt8(ascii: " ")
      let words = bytes.withUnsafeBytes { shim_words64($0.baseAddress, 16) }
      #expect(words == 0xFFFF & ~(1 << UInt64(index)))
    }
  }

  // MARK: Through a renderer

  /// The same value in short lines, which end the room at once, and in long ones.
  @Test(arguments: [false, true])
  func `a value with anything in it is escaped as its bytes are one by one`(isJSON: Bool) throws {
    let rendering = try Rendering("%{X}i", VarnishVersion(8, 0), isJSON: isJSON)
    var random = SeededGenerator(seed: 4)
    func line(_ value: [UInt8]) -> [UInt8] {
      rendering.line([("ReqHeader", Array("X: ".utf8) + value)]).dropLast()
    }
    let escaped = (UInt8.min...UInt8.max).map { byte in
      // Between letters, so that nothing is trimmed.
      Array(line([0x78, byte, 0x78]).dropFirst().dropLast())
    }
    for count in 0...80 {
      let value = (0..<count).map { _ in
        Int.random(in: 0..<8, using: &random) == 0 ? UInt8.random(in: .min ... .max, using: &random) : 0x61
      }
      #expect(line([0x78] + value + [0x78]) == [0x78] + value.flatMap { escaped[Int($0)] } + [0x78])
    }
  }
}
