@testable import Rendering
import TestSupport
import Testing
import VarnishLog

/// Compares the fast handling of words and numbers with a plain implementation.
struct ShortTextTests {
  @Test func `a byte is found among the first sixteen wherever the text lies`() {
    let page = GuardedPage()
    var random = SeededGenerator(seed: 1)
    let bytes: [UInt8] = [0x3A, 0x41, 0x42, 0x00, 0xBA]
    for count in 0...40 {
      for _ in 0..<20 {
        let text = (0..<count).map { _ in bytes.randomElement(using: &random) ?? 0 }
        for place in GuardedPage.places(for: count, using: &random) {
          let found = LogBytes(start: page.lay(text, at: place), count: count).firstIndexWithin16(of: 0x3A)
          if found != text.prefix(16).firstIndex(of: 0x3A) { Issue.record("\(text) at \(place)") }
        }
      }
    }
  }

  @Test func `words are told in any case of their letters, and from all others`() {
    let words: [StaticString] = ["hit", "go", "recv", "error", "start:", "pipesess:", "backend_response"]
    let page = GuardedPage()
    for word in words {
      let letters = word.withUTF8Buffer { Array($0) }
      func expect(_ text: [UInt8], _ expected: Bool) {
        let bytes = LogBytes(start: page.lay(text, at: .end), count: text.count)
        if bytes.isWord(word) != expected { Issue.record("\(text) as \(word)") }
      }
      expect(letters, true)
      expect(letters + [0x20], false)
      expect(letters.dropLast(), false)
      for index in letters.indices {
        for byte in UInt8.min...UInt8.max {
          var text = letters
          text[index] = byte
          let isLetter = (0x61...0x7A).contains(letters[index])
          expect(text, byte == letters[index] || isLetter && byte == letters[index] - 0x20)
        }
      }
    }
  }

  @Test func `a number is written with all its digits, and no fewer than asked for`() {
    var random = SeededGenerator(seed: 2)
    var numbers: [UInt64] = [0, .max, .max - 1]
    var power: UInt64 = 1
    for _ in 0..<19 {
      power *= 10
      numbers += [power - 1, power, power + 1, UInt64.random(in: 0...power, using: &random)]
    }
    for number in numbers {
      for minimum in [1, 3, 6] {
        let digits = String(number)
        let expected = String(repeating: "0", count: max(0, minimum - digits.count)) + digits
        for room in [20, expected.count, expected.count - 1] {
          var written = ""
          var overflowed = false
          withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { memory in
            var line = LineWriter(UnsafeMutableRawBufferPointer(rebasing: memory[..<room]))
            line.put(decimal: number, minimumDigits: minimum)
            written = String(decoding: line.written, as: UTF8.self)
            overflowed = line.overflowed
          }
          #expect(overflowed == (room < expected.count) && (overflowed || written == expected))
        }
      }
    }
  }
}
