import Settings

/// A setting of an output: its name, the outputs that it applies to, and how it is read.
///
/// `--output` and configuration files have the same settings; `OutputKey+Table.swift` lists all of them.
struct OutputKey: Sendable {
  /// The outputs that a setting applies to.
  enum Scope {
    /// None in particular: the setting is the target itself.
    case target
    /// All outputs.
    case all
    /// Files.
    case file
    /// Outputs whose consumer may disconnect and come back: commands, sockets, and named pipes among the files.
    case consumer
    /// Outputs of lines.
    case lines
    /// Outputs of groups, as text or as records.
    case groups
  }

  typealias Path<Value> = WritableKeyPath<OutputRequest, Value> & Sendable
  typealias Take = @Sendable (inout SettingsReader, inout OutputRequest, OptionValues) -> Void

  /// The setting's name.
  let name: String
  /// The name of the option on the command line.
  let option: String
  /// The outputs that the setting applies to.
  let scope: Scope
  /// The settings whose defaults don't hold where this one is set.
  let displaced: [String]
  /// Takes the setting from a reader into a request, if it is set.
  let take: Take
  /// Copies the setting's value from the first request, with the defaults, into the second.
  let copy: @Sendable (OutputRequest, inout OutputRequest) -> Void
  /// Whether the setting has different values in two requests.
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

  /// A setting that is a text, checked by the reader of the option's value.
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

  /// Whether the setting applies to an output whose target and kind are known.
  func applies(to request: OutputRequest) -> Bool {
    switch scope {
    case .target, .all: true
    case .file: request.isFile
    case .consumer: request.isFile || request.output.exec != nil || request.output.socket != nil
    case .lines: request.shown == .lines && request.metrics == nil
    case .groups: request.shown != .lines
    }
  }

  /// The kind of output that the setting needs, for messages.
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

/// The error for a value that the option's reader refuses in a predecessor's words, which don't say what is
/// expected.
struct Expectation: Error, CustomStringConvertible {
  let description: String

  init(_ expected: String) { description = "expected \(expected)" }
}
