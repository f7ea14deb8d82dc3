import TestSupport
import Testing

/// A log, options, and the expected lines.
struct LineVector: Sendable, CustomTestStringConvertible {
  var lines: String
  var options: [String]
  /// The lines that 7.1 prints.
  var expected: String
  /// The lines that 7.7 and later print, if they differ.
  var expectedSince77: String?

  init(_ lines: String, _ options: [String], _ expected: String, since77: String? = nil) {
    self.lines = lines
    self.options = options
    self.expected = expected
    expectedSince77 = since77
  }

  /// Records of one client request, begun and ended around `records`.
  static func request(
    _ records: String, _ format: String?, _ expected: String, since77: String? = nil,
    options: [String] = []
  ) -> LineVector {
    LineVector(
      requestLines(records), options + (format.map { ["-F", $0] } ?? []), expected,
      since77: since77)
  }

  /// `Tag text`, one to a line, as the records of transaction 2 of a client.
  static func requestLines(_ records: String) -> String {
    let body = records.split(separator: "\n").map { "2 c \($0)\n" }.joined()
    return "2 c Begin req 1 rxreq\n" + body + "2 c End"
  }

  var testDescription: String {
    "\(options.joined(separator: " ")) on \(lines.prefix(120).split(separator: "\n").dropFirst())"
  }

  /// The output of a program for the log, by the rules of a version if one is given.
  func output(
    of subject: Subject, layout: SampleLayout = .twoWord, compat: String? = nil
  ) throws -> String {
    let log = LogFileBuilder(layout, lines: lines)
    let rules = subject.isReference ? [] : compat.map { ["--compat", $0] } ?? []
    let result = try subject.run(over: log, rules + options)
    try #require(result.status == 0, "\(result.errorText)")
    return result.text
  }
}
