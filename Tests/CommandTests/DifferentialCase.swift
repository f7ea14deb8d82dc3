import Glibc
import TestSupport

/// A log, and a command to be given to the reference and to Spillway.
struct DifferentialCase: Sendable {
  /// The command to compare.
  enum Tool: String, Sendable {
    case ncsa, log

    /// The name of the reference.
    var referenceName: String { "varnish\(rawValue)" }
  }

  /// A piece of a command line.
  enum Argument: Sendable, CustomStringConvertible {
    case text(String)
    /// The path of a file with this content.
    case file(String)
    /// The path of a file that is to be written.
    case output

    var description: String {
      switch self {
      case .text(let text): text.debugDescription
      case .file(let content): "FILE(\(content.debugDescription))"
      case .output: "OUTPUT"
      }
    }
  }

  let tool: Tool
  /// The log's path, if the case uses the log as it was recorded.
  var path: String?
  var records: [SampleRecord]
  /// The options, each with its value.
  var options: [[Argument]]

  var log: LogFileBuilder {
    var log = LogFileBuilder()
    for record in records { log.add(record) }
    return log
  }

  /// A readable form of the case, without records that are in a file anyway.
  var description: String {
    let lines = records.prefix(200).map { record in
      let text = record.payload.prefix(300).map { byte in
        (0x20..<0x7F).contains(byte) ? String(Unicode.Scalar(byte)) : "<\(String(byte, radix: 16))>"
      }
      let name = SampleTags.v7.name(of: record.tag) ?? "\(record.tag)"
      return "\(record.vxid) \(record.side.rawValue) \(name) \(text.joined())"
    }
    let arguments = options.joined().map(\.description).joined(separator: " ")
    return "\(tool.referenceName) -r \(path ?? "LOG") \(arguments)\n" + lines.joined(separator: "\n")
  }
}

/// The result of a command.
struct DifferentialOutcome: Equatable, CustomStringConvertible {
  /// The exit status, or nil if a signal ended it.
  var status: Int32?
  var signal: Int32?
  var output: [UInt8]
  /// The file that `-w` names.
  var file: [UInt8]?
  /// The error message, without the program's name.
  var refusal: String

  /// The outcome of a command that was still running at the time limit.
  static let endless = DifferentialOutcome(status: nil, signal: SIGKILL, output: [], refusal: "")

  var description: String {
    let end = status.map { "status \($0)" } ?? "signal \(signal ?? 0)"
    let file = file.map { ", file \(Self.text($0))" } ?? ""
    return "\(end) \(refusal), output \(Self.text(output))\(file)"
  }

  private static func text(_ bytes: [UInt8]) -> String {
    "(\(bytes.count)) " + String(decoding: bytes.prefix(3000), as: UTF8.self).debugDescription
  }
}

extension DifferentialOutcome {
  init(_ result: ProcessResult, file: [UInt8]?) {
    status = result.status
    signal = result.end.signal
    // At an error in a query, the reference has already opened its output.
    output = result.status == 0 ? result.output : []
    self.file = file
    refusal = result.status == 0 ? "" : Self.refusal(result.errorText)
  }

  /// The part of an error message that must agree: for a query all of it, with the place; otherwise the first
  /// line, as the usage text differs.
  private static func refusal(_ text: String) -> String {
    var text = text[...]
    for name in ["spillway: ", "varnishncsa: ", "varnishlog: "] where text.hasPrefix(name) {
      text = text.dropFirst(name.count)
    }
    guard text.hasPrefix("Query expression error:\n") else {
      let line = text.prefix { $0 != "\n" }
      // Only Spillway names a replacement for options of older versions.
      return String(line.firstRange(of: "; older versions had it").map { line[..<$0.lowerBound] } ?? line)
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    // If the first token is wrong, the reference doesn't know its place.
    if lines.count > 3, lines[1].hasPrefix("Syntax error (Pos"),
      lines[2].drop(while: { $0 == " " }).count == lines[2].count - (lines[3].prefix { $0 == "-" }.count)
    {
      return "Query expression error: Syntax error at the beginning"
    }
    return String(text)
  }
}

/// Runs cases with both programs.
struct DifferentialRunner: Sendable {
  private let directory: TemporaryDirectory
  private let reference: String
  private let subject: Subject

  init(_ tool: DifferentialCase.Tool, _ subject: Subject) throws(SupportError) {
    guard let path = findExecutable(tool.referenceName) else {
      throw SupportError("no \(tool.referenceName)")
    }
    reference = path
    self.subject = subject
    directory = try TemporaryDirectory()
  }

  /// The outcomes of the reference and of Spillway.
  func outcomes(
    _ sample: DifferentialCase
  ) throws(SupportError) -> (theirs: DifferentialOutcome, ours: DifferentialOutcome) {
    let log = sample.path ?? directory.file("log")
    if sample.path == nil { try sample.log.write(to: log) }
    let output = directory.file("output")
    var arguments = ["-r", log]
    for (index, argument) in sample.options.joined().enumerated() {
      switch argument {
      case .text(let text): arguments.append(text)
      case .output: arguments.append(output)
      case .file(let content):
        let path = directory.file("file-\(index)")
        try writeFile(path, content.utf8)
        arguments.append(path)
      }
    }
    let theirs = try run(Command(reference, arguments, name: sample.tool.referenceName), output)
    let ours = try run(
      Command(subject.path, [sample.tool.rawValue, "--compat", "7.1"] + arguments), output)
    return (theirs, ours)
  }

  private func run(
    _ command: Command, _ output: String
  ) throws(SupportError) -> DifferentialOutcome {
    unlink(output)
    // An endless run is recognised by its processor time, to which a busy machine doesn't add.
    var limited = Command(
      "/bin/bash",
      ["-c", "ulimit -t 10; exec -a \"$0\" \"$@\"", command.name ?? command.executable, command.executable]
        + command.arguments)
    limited.environment = ["TZ": "UTC", "LC_ALL": "C", "SPILLWAY_COMPAT": nil]
    guard let result = try? ProcessRunner.run(limited, limit: .seconds(120)), result.end.signal != SIGXCPU,
      result.end.signal != SIGKILL
    else { return .endless }
    // After an error, the reference has also truncated the file; Spillway leaves it as it was.
    let isThere = result.status == 0 && access(output, F_OK) == 0
    let file = isThere ? try readFile(output) : nil
    return DifferentialOutcome(result, file: file)
  }

  /// Leaves out all parts of a case that don't matter for the difference.
  func shrink(_ sample: DifferentialCase) throws(SupportError) -> DifferentialCase {
    var smallest = sample
    func keep(_ smaller: DifferentialCase) throws(SupportError) -> Bool {
      let (theirs, ours) = try outcomes(smaller)
      guard theirs.signal == nil, ours != theirs else { return false }
      smallest = smaller
      return true
    }
    func remove<Element>(from list: WritableKeyPath<DifferentialCase, [Element]>) throws(SupportError) {
      var size = max(1, smallest[keyPath: list].count / 2)
      while true {
        var start = 0
        while start < smallest[keyPath: list].count {
          var smaller = smallest
          let end = min(start + size, smaller[keyPath: list].count)
          smaller[keyPath: list].removeSubrange(start..<end)
          if try !keep(smaller) { start += size }
        }
        if size == 1 { return }
        size /= 2
      }
    }
    try remove(from: \.options)
    var madeUp = smallest
    madeUp.path = nil
    if try keep(madeUp) { try remove(from: \.records) }
    return smallest
  }
}
