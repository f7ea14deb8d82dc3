import Glibc
import Metrics
import Pipeline
import Settings

/// A file that says where records come from, what is rendered from them, and how the process behaves.
///
/// It can be read any number of times, also after the process has changed its directory: relative paths in it
/// are resolved against the directory in which this value was made.
struct ConfigurationFile {
  /// Why there is no configuration.
  enum Failure: Error {
    /// The file can't be read.
    case unreadable(UsageError)
    /// What is wrong with it, in the order of places.
    case mistakes([SettingsMistake])
  }

  /// The path as it was typed, for messages.
  let path: String
  /// The checkpoint that an option names, which overrides the file's setting.
  private let resume: String?
  private let values = OptionValues()
  private let metrics = MetricsShelf()

  /// - Parameters:
  ///   - path: the path as it was typed.
  ///   - resume: the checkpoint that an option names, which overrides the file's setting.
  init(_ path: String, resume: String? = nil) {
    self.path = path
    self.resume = resume
  }

  /// The directories of all files that were read.
  var directories: [String] { values.filesRead.directories }

  /// Reads the file, and compiles its formats and queries; opens no log and no output.
  ///
  /// - Parameter warn: takes warnings, of one line each, about settings that may be unintended.
  func configuration(warn: @escaping (String) -> Void) throws -> Configuration {
    let parsed = YAMLReader.read(try bytes(), path: path)
    var reader = SettingsReader(parsed)
    guard case .mapping = parsed.node else { throw Failure.mistakes(reader.finish()) }
    let input = takeInput(&reader)
    var process = ProcessSettings()
    reader.takeMapping("process") { process.take(&$0, values) }
    var configuration = Configuration(input: input ?? InputConfiguration(.instance(nil)))
    if process.daemonizes, configuration.input.readsStandardInput {
      reader.report("input", found: "standard input", expected: "another log, as the process daemonizes")
    }
    if configuration.input.compatibility == nil {
      // SPILLWAY_COMPAT in the environment counts here, too.
      configuration.input.compatibility = try values.version(nil)
    }
    configuration.input.reportsOrphans = configuration.input.compatibility == nil
    var builder = try takeOutputs(&reader, configuration.input, process, warn)
    configuration.process = process.configuration(values, isLive: !configuration.input.isFile)
    // A reload may add an output for metrics.
    configuration.process.statusBoard = metrics.board
    builder.finish(&configuration)
    let mistakes =
      try reader.finish() + builder.mistakes.map(setting) + process.mistakes(in: builder.built)
      + process.resume.set(in: &configuration, option: resume, values)
    guard mistakes.isEmpty else { throw Failure.mistakes(Self.distinct(mistakes.inOrder())) }
    return configuration
  }

  /// The mistakes without repetitions: a mistake in a default is found again for each output.
  private static func distinct(_ mistakes: [SettingsMistake]) -> [SettingsMistake] {
    var distinct: [SettingsMistake] = []
    for mistake in mistakes where !distinct.contains(mistake) { distinct.append(mistake) }
    return distinct
  }

  /// A mistake as a file has it: a mistake that belongs to no setting is reported for the file as a whole.
  private func setting(_ mistake: OutputBuilder.Mistake) -> SettingsMistake {
    switch mistake {
    case .setting(let mistake): mistake
    case .option(let error):
      SettingsMistake(
        place: SettingsPlace(source: .file(path), column: 1), found: error.description, hint: "")
    }
  }

  // MARK: The file

  private func bytes() throws(Failure) -> [UInt8] {
    let descriptor = unsafe open(values.pathToRead(path), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable() }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    // The YAML reader reports a file that is larger than its limit.
    while bytes.count <= YAMLReader.byteCountMax {
      let count = unsafe read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unreadable() }
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    return bytes
  }

  private func unreadable() -> Failure {
    unsafe .unreadable(UsageError(String(cString: strerror(errno)), about: nil))
  }

  // MARK: Parts

  private func takeInput(_ reader: inout SettingsReader) -> InputConfiguration? {
    let inputs = reader.takeMappings("input") { takeInput(of: &$0) }
    if let inputs, inputs.count > 1 {
      reader.report(
        "input", found: "\(inputs.count) inputs",
        expected:
          "one, as a run follows one log; several in one run aren't supported yet, so start one for each")
    }
    return inputs?.first
  }

  private func takeInput(of reader: inout SettingsReader) -> InputConfiguration {
    var input = InputConfiguration(.instance(nil))
    let instance = reader.take("instance", expecting: "a name or a directory")
    let memoryFile = reader.take("memory-file", expecting: "a path")
    let capture = takeCapture(&reader)
    if let instance { input.source = .instance(instance) }
    if let memoryFile { input.source = .memoryFile(values.absolute(memoryFile)) }
    if let capture { input.source = .captured(capture) }
    if [instance != nil, memoryFile != nil, reader.place(of: "file") != nil].count(where: \.self) > 1 {
      reader.report(
        reader.place(of: "file") == nil ? "memory-file" : "file", found: "a second source",
        expected: "only one of instance, memory-file and file")
    }
    input.release =
      reader.take("from", expecting: "a version") { (text) throws(UsageError) in
        try values.release(text)
      } ?? nil
    input.existingOnly = reader.takeSwitch("existing-only") ?? false
    if let seconds = takeAttachTimeout(&reader) { input.attachSeconds = seconds }
    input.compatibility =
      reader.take("compat", expecting: "a version") { (text) throws(UsageError) in
        try values.version(text)
      } ?? nil
    input.openTransactionsMax =
      number("open-limit", expecting: "a number above 0", &reader) { (text) throws(UsageError) in
        try values.limit(text)
      } ?? input.openTransactionsMax
    input.timeoutSeconds =
      number("open-timeout", expecting: "a number of seconds", &reader) { (text) throws(UsageError) in
        try values.timeout(text)
      } ?? input.timeoutSeconds
    if let capture, capture.inputs.isEmpty, !reader.hasMistakes {
      reader.report("file", found: "an empty list", expected: "a path at least")
    }
    return input
  }

  /// The captured input; nil if the log is a live one.
  private func takeCapture(_ reader: inout SettingsReader) -> Capture? {
    var readsStandardInput = false
    let paths = reader.takeList("file", expecting: "a path") { (path) throws(UsageError) in
      guard path == "-" else { return values.absolute(path) }
      guard !readsStandardInput else { throw UsageError("standard input can be read once") }
      readsStandardInput = true
      return path
    }
    var capture = Capture(paths ?? [])
    capture.merges = reader.takeSwitch("merge") ?? false
    capture.salvages = reader.takeSwitch("salvage") ?? false
    if reader.place(of: "file") == nil {
      if capture.merges {
        reader.report(
          "merge", found: "only what was captured can be put in order", expected: "file beside it")
      }
      if capture.salvages {
        reader.report(
          "salvage", found: "a live log has nothing to be salvaged", expected: "file beside it")
      }
      return nil
    }
    return capture
  }

  /// The time to wait for an instance; an inner nil means no limit.
  private func takeAttachTimeout(_ reader: inout SettingsReader) -> Double?? {
    reader.take("attach-timeout", expecting: "a number of seconds or off") { (text) throws(Expectation) in
      do {
        return try values.attachSeconds(text)
      } catch {
        throw Expectation("a number of seconds or off")
      }
    }
  }

  /// A value whose reader reports errors in a predecessor's words, which don't say what is expected.
  private func number<Value>(
    _ key: String, expecting expected: String, _ reader: inout SettingsReader,
    _ read: (String) throws(UsageError) -> Value?
  ) -> Value? {
    reader.take(key, expecting: expected) { (text) throws(Expectation) in
      do {
        return try read(text)
      } catch {
        throw Expectation(expected)
      }
    } ?? nil
  }

  private func takeOutputs(
    _ reader: inout SettingsReader, _ input: InputConfiguration, _ process: ProcessSettings,
    _ warn: @escaping (String) -> Void
  ) throws -> OutputBuilder {
    var defaults = try OutputRequest.blank()
    var places: [String: SettingsPlace] = [:]
    defaults.format.formatsDir = process.formatsDirectory
    let keys = OutputKey.common
    let show = OutputKey.targets.filter { $0.name == "show" }
    reader.takeMapping("defaults") { reader in
      for key in show + keys {
        key.take(&reader, &defaults, values)
        places[key.name] = reader.place(of: key.name)
      }
    }
    let context = OutputContext(
      values: values, canWait: input.isFile, keepsJSONBytes: false,
      warn: { if input.compatibility == nil { warn($0) } },
      object: { error throws(UsageError) in throw error }, metrics: metrics, instance: InstancePlace(input))
    var builder = try OutputBuilder(defaults, at: places, keys: keys, context)
    let outputs: [Void]? = reader.takeNamedMappings("outputs") { name, reader in
      builder.add(&reader, name: name, needsTarget: true) { _ in .lines }
    }
    if outputs?.isEmpty ?? (reader.place(of: "outputs") == nil) {
      reader.report("outputs", found: "no output", expected: "a name for each, and its settings")
    }
    return builder
  }
}

extension InputConfiguration {
  /// Whether the log is in a file.
  var isFile: Bool {
    if case .captured = source { true } else { false }
  }

  /// Whether standard input is a log.
  var readsStandardInput: Bool {
    if case .captured(let capture) = source { capture.inputs.contains("-") } else { false }
  }
}
