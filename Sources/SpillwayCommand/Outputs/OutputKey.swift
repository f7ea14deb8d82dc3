import Settings

/// A setting of an output: what it is called, what it goes with, and how it is read.
///
/// `--output` and files have the same; `OutputKey+Table.swift` has all of them.
struct OutputKey: Sendable {
  /// Which outputs a setting means something for.
  enum Scope {
    /// It is the target itself.
    case target
    /// All.
    case all
    /// Files.
    case file
    /// Outputs whose consumer may go and come back: commands, sockets, and named pipes among the files.
    case consumer
    /// Outputs of lines.
    case lines
    /// Outputs of groups, as text or as records.
    case groups
  }

  typealias Path<Value> = WritableKeyPath<OutputRequest, Value> & Sendable
  typealias Take = @Sendable (inout SettingsReader, inout OutputRequest, OptionValues) -> Void

  /// What it is called in settings.
  let name: String
  /// What it is called on the command line.
  let option: String
  /// What it goes with.
  let scope: Scope
  /// The settings whose defaults don't hold where this one is set.
  let displaced: [String]
  /// Takes it, if it is there.
  let take: Take
  /// Takes it over from defaults.
  let copy: @Sendable (OutputRequest, inout OutputRequest) -> Void
  /// Whether it has another value in the first than in the second.
  let differs: @Sendable (OutputRequest, OutputRequest) -> Bool

  init<Value: Equatable & SendableMetatype>(
    _ name: String, _ path: any Path<Value>, option: String? = nil, scope: Scope = .all,
    displacing displaced: [String] = [], take: @escaping Take
  ) {
    self.name = name
    self.option = option ?? "--\(name)"
    self.scope = scope
    self.displaced = displaced
    self.take = take
    copy = { $1[keyPath: path] = $0[keyPath: path] }
    differs = { $0[keyPath: path] != $1[keyPath: path] }
  }

  /// A text that the option's own reader must understand.
  static func text(
    _ name: String, _ path: any Path<String?>, option: String? = nil, scope: Scope = .all, expecting: String,
    displacing displaced: [String] = [], check: @escaping @Sendable (String, OptionValues) throws -> Void
  ) -> OutputKey {
    OutputKey(name, path, option: option, scope: scope, displacing: displaced) { reader, request, values in
      let text = reader.take(name, expecting: expecting) { (text) throws in
        try check(text, values)
        return text
      }
      if let text { request[keyPath: path] = text }
    }
  }

  /// A switch.
  static func flag(
    _ name: String, _ path: any Path<Bool>, option: String? = nil, scope: Scope = .all,
    displacing displaced: [String] = []
  ) -> OutputKey {
    OutputKey(name, path, option: option, scope: scope, displacing: displaced) { reader, request, _ in
      if let isOn = reader.takeSwitch(name) { request[keyPath: path] = isOn }
    }
  }

  /// Whether it means something for an output whose target and kind are known.
  func applies(to request: OutputRequest) -> Bool {
    switch scope {
    case .target, .all: true
    case .file: request.isFile
    case .consumer: request.isFile || request.output.exec != nil || request.output.socket != nil
    case .lines: request.shown == .lines && request.metrics == nil
    case .groups: request.shown != .lines
    }
  }

  /// What it means nothing without.
  var needs: String {
    switch scope {
    case .target, .all: "an output"
    case .file: "a file"
    case .consumer: "a command, a socket or a named pipe"
    case .lines: "an output that shows lines"
    case .groups: "an output that shows groups or records"
    }
  }
}

/// A value that an option's reader refuses in a predecessor's words, which don't say what it expects.
struct Expectation: Error, CustomStringConvertible {
  let description: String

  init(_ expected: String) { description = "expected \(expected)" }
}
