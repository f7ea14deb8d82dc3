import LogWriting
import TestSupport
import Testing
import VarnishLog

/// A log in a directory of its own, and the output of readers for it.
final class SharedLog: Sendable {
  let writer: LogWriter
  private let directory: TemporaryDirectory

  init(_ numbering: TagNumbering = .v41, logByteCount: Int = 8 << 20) throws {
    directory = try TemporaryDirectory()
    var options = LogWriterOptions(.indexed(numbering))
    options.logByteCount = logByteCount
    writer = try LogWriter(directory: directory.file("log"), options: options)
  }

  /// The access-log lines of everything written so far.
  ///
  /// - Parameter beside: whether to run varnishncsa as well, if it is there and reads such logs, and to
  ///   expect the same.
  func lines(_ arguments: [String], beside: Bool = true) throws -> [String] {
    let arguments = ["-n", writer.directory, "-d"] + arguments
    let text = try output(of: try Subject.found().ncsa(arguments))
    if beside { try expect(text, from: "varnishncsa", arguments) }
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  /// The records written so far, as text, each with its tag, without the lines around them.
  func records(_ arguments: [String] = []) throws -> [String] {
    try text(arguments).split(separator: "\n").filter { $0.hasPrefix("-") }.map { line in
      let fields = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
      let payload = fields.count > 2 ? fields[2].drop { $0 == " " } : ""
      return "\(fields[1]) \(payload)"
    }
  }

  /// Everything written so far, as shown by both varnishlog and Spillway.
  func text(_ arguments: [String] = []) throws -> String {
    let arguments = ["-n", writer.directory, "-d"] + arguments
    let text = try output(of: try Subject.found().log(arguments))
    try expect(text, from: "varnishlog", arguments)
    return text
  }

  private func expect(_ text: String, from tool: String, _ arguments: [String]) throws {
    guard writer.options.format == .indexed(.v41), try Need.program(tool).isMet else { return }
    let reference = try output(of: Command(tool, arguments))
    #expect(text == reference, "\(tool) shows something else for \(arguments)")
  }

  private func output(of command: Command) throws -> String {
    let result = try ProcessRunner.run(command)
    try #require(result.status == 0, "\(command): \(result.errorText)")
    return result.text
  }
}
