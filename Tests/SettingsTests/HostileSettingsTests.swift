import Glibc
import Settings
import TestSupport
import Testing

/// Settings files that are malicious or damaged.
struct HostileSettingsTests {
  private func read(_ text: String) -> ParsedSettings { YAMLReader.read(Array(text.utf8), path: "f") }

  /// The processor time that this thread spends on `work`; other load on the machine does not count.
  private func cpuSeconds(_ work: () -> Void) -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let start = now()
    work()
    return now() - start
  }

  /// Checks that every mistake is one line about a place in the text, and that they are in order.
  private func check(_ parsed: ParsedSettings, _ bytes: [UInt8], _ comment: Comment) {
    let lineCount = bytes.count { $0 == 0x0A } + 1
    var last = (0, 0)
    for mistake in parsed.mistakes {
      let place = mistake.place
      #expect((1...lineCount).contains(place.line) && place.column >= 1, comment)
      #expect((place.line, place.column) >= last, comment)
      last = (place.line, place.column)
      #expect(!mistake.description.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }, comment)
    }
    #expect(parsed.node != nil || !parsed.mistakes.isEmpty, comment)
  }

  private static let sample = """
    # what is followed
    input: {instance: 'varnish', limit: 1000}
    process:
      pid-file: "/run/spillway\\tx.pid"
    outputs:
      - file: /var/log/é.log   # a comment
        query: |
          RespStatus >= 500
        tags: [a, "b, c", 'd']
      - exec: >-
          cat -
        rotate-every: 1h
    """

  @Test func `a file that is cut anywhere is read or refused`() {
    let whole = Array(Self.sample.utf8)
    #expect(read(Self.sample).mistakes == [])
    for count in 0...whole.count {
      let bytes = Array(whole[..<count])
      check(YAMLReader.read(bytes, path: "f"), bytes, "cut at \(count)")
    }
  }

  @Test func `changed and made-up bytes are read or refused`() {
    var random = SeededGenerator(seed: 1)
    let whole = Array(Self.sample.utf8)
    let letters = Array("{}[],:-?&*!|>'\"%@`# \t\r\n\0a<=~\\é".utf8) + [0xFF, 0xC3]
    for _ in 0..<500 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        let letter = letters.randomElement(using: &random) ?? 0
        if Bool.random(using: &random) { bytes[at] = letter } else { bytes.insert(letter, at: at) }
      }
      check(YAMLReader.read(bytes, path: "f"), bytes, "\(random)")
      let noise = (0..<40).map { _ in letters.randomElement(using: &random) ?? 0 }
      check(YAMLReader.read(noise, path: "f"), noise, "\(random)")
      let any = (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }
      check(YAMLReader.read(any, path: "f"), any, "\(random)")
    }
  }

  @Test func `nesting has a limit, and costs nothing beyond it`() {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(read(nested(32)).mistakes == [])
    let message = "more than 32 mappings and lists within each other: expected fewer"
    #expect(read(nested(33)).mistakes.map(\.description) == ["f:1:33: \(message)"])
    #expect(
      read(String(repeating: "- ", count: 33) + "x").mistakes.map(\.description) == ["f:1:65: \(message)"])
    for open in ["[", "{", "- ", "? ", "{a: ", "[? "] {
      let text = String(repeating: open, count: 1_000_000 / open.utf8.count)
      let seconds = cpuSeconds { #expect(read(text).mistakes.count == 1) }
      #expect(seconds < 10, "\(open)")
    }
  }

  @Test func `long texts and keys are read, and shown in part`() {
    let long = String(repeating: "x", count: 500_000)
    #expect(read("a: \(long)").node?.text("a") == long)
    #expect(read("? \(long)\n: b").node?.text(long) == "b")
    #expect(read("? \(long)\n: b\n? \(long)\n: c").mistakes.allSatisfy { $0.description.utf8.count < 400 })
    #expect(read("\(long): b").mistakes.count == 1)
    let unknown = SettingsReader(read("? \(long)\n: b")).finish()
    #expect(unknown.map(\.description) == ["f:1:3: \(long.prefix(80))…: no such setting: expected none"])
  }

  @Test(
    arguments: [
      { "k\($0): x\n" }, { _ in "file: x\n" }, { "- &a\($0)\n" }, { _ in "%TAG !a! b\n" },
      { "f\($0 % 999)le: *x\n" },
    ] as [@Sendable (Int) -> String])
  func `the time for many keys and mistakes grows with their number alone`(_ line: @Sendable (Int) -> String)
  {
    func seconds(_ count: Int) -> Double {
      let bytes = Array((0..<count).map(line).joined().utf8)
      return cpuSeconds {
        var reader = SettingsReader(YAMLReader.read(bytes, path: "f"))
        for key in ["file", "format", "rotate-every"] { _ = reader.take(key) }
        _ = reader.finish()
      }
    }
    // If the time were quadratic, sixteen times the size would take 256 times as long.
    let few = (0..<3).map { _ in seconds(2000) }.min() ?? 0
    #expect(seconds(32_000) < 64 * few)
  }

  @Test func `an option's text of any characters is read or refused`() {
    var random = SeededGenerator(seed: 2)
    let letters = Array("ab=\"'\\ \t\né\0".unicodeScalars)
    for _ in 0..<1000 {
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...20, using: &random) {
        text.append(letters.randomElement(using: &random) ?? "x")
      }
      let parsed = OutputText.read(String(text))
      #expect(parsed.node != nil || !parsed.mistakes.isEmpty, "\(random)")
      #expect(parsed.mistakes.allSatisfy { (1...text.count).contains($0.place.column) }, "\(random)")
    }
    #expect(OutputText.read(String(repeating: "a=\"b\" ", count: 100_000)).mistakes.count == 99_999)
  }
}
