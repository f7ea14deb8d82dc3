import TerminalViews
import Testing

/// The input from terminals and the output to them.
struct TerminalViewTests {
  @Test func `keys are decoded, also when they come in parts`() {
    var decoder = KeyDecoder()
    #expect(
      decoder.decode(Array("aé\u{1B}[A\u{1B}OB\r\u{7F}\u{14}".utf8)) == [
        .character("a"), .character("é"), .up, .down, .enter, .backspace, .control("t"),
      ])
    #expect(decoder.decode([0x1B]) == [] && decoder.isUndecided)
    #expect(decoder.decode(Array("[5".utf8)) == [] && decoder.decode(Array("~".utf8)) == [.pageUp])
    #expect(decoder.decode([0x1B]) == [] && decoder.finish() == [.escape] && !decoder.isUndecided)
    #expect(decoder.decode([0x1B, UInt8(ascii: "q")]) == [.escape, .character("q")])
    #expect(decoder.decode(Array("\u{1B}[1;5H\u{1B}[4~\u{1B}[99~".utf8)) == [.home, .end])
    // Bytes that aren't valid text are ignored, but those after them aren't.
    #expect(decoder.decode([0xFF, 0xC3, 0x28, UInt8(ascii: "x")]) == [.character("("), .character("x")])
    #expect(
      decoder.decode([0x1B, 0x5B] + [UInt8](repeating: 0x30, count: 40)) == [] && decoder.finish() == [])
  }

  @Test func `numbers are short, and say what they are`() {
    func compact(_ number: Double, digits: Int = 2, isBytes: Bool = false, isScaled: Bool = true) -> String {
      ShownNumber.compact(number, digits: digits, isBytes: isBytes, isScaled: isScaled)
    }
    #expect(
      [0, 0.004, 1.5, 999.999, 12_345, 99_999].map { compact($0) } == [
        "0.00", "0.00", "1.50", "1000.00", "12345", "99999",
      ])
    #expect(
      [100_000, 1_234_567, 9_999_999_999, 1.8e19].map { compact($0) } == [
        "100.0k", "1234.6k", "10000.0M", "18.0E",
      ])
    #expect(compact(9_876_543_210, isBytes: true) == "9419.0Mi" && compact(-5_000_000) == "-5000.0k")
    #expect(compact(12_345_678, isScaled: false) == "12345678")
    for exponent in 0...19 {
      for factor in [1.0, 9.99, -9.99, -1] {
        for isBytes in [false, true] {
          for isScaled in [false, true] {
            for digits in [0, 2] {
              let number = factor * Double(sign: .plus, exponent: exponent * 3, significand: 1)
              let text = compact(number, digits: digits, isBytes: isBytes, isScaled: isScaled)
              #expect(text.count <= 10, "\(number): \(text)")
            }
          }
        }
      }
    }
    #expect(ShownNumber.duration(93_784) == "1+02:03:04")
  }

  @Test func `lines are cut to their width, and styles end`() {
    let line = StyledLine([
      StyledLine.Piece("ab", .bad), StyledLine.Piece("cd", .reverse), StyledLine.Piece("名ef"),
    ])
    #expect(line.rendered(width: 5, hasColours: false) == "ab\u{1B}[7mcd\u{1B}[0m")
    #expect(line.rendered(width: 6, hasColours: true) == "\u{1B}[31mab\u{1B}[0m\u{1B}[7mcd\u{1B}[0m名")
    #expect(ShownWidth.fitted("MAIN.bans_lurker_obj_killed", 20) == "MAIN.bans_lur~killed")
    #expect(ShownWidth.fitted("ab", 4) == "ab  " && ShownWidth.fitted("abcdef", 4) == "abcd")
  }
}
