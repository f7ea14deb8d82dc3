import ArgumentParser
import LogQuery
import Pipeline
import Platform
import Shipping
import VarnishLog

/// A command that carries a log to an output; what all of them have in common.
protocol RunCommand: ParsableCommand {
  /// The program whose place it takes, and under whose name its old rules hold.
  static var oldName: String { get }
  /// What that program says when it can't open its output, and the status it ends with.
  static var oldOpenFailure: (words: String, status: Int32) { get }
  /// How its command line is split.
  static var expansion: ArgumentExpansion { get }

  var input: InputOptions { get }
  var matching: MatchingOptions { get }
  var output: OutputOptions { get }
  var process: ProcessOptions { get }

  /// Adds what only this command has.
  func complete(_ configuration: inout Configuration, _ context: OptionContext) throws
}

/// What is needed beside the options to know what they mean.
struct OptionContext {
  let values = OptionValues()
  /// The options in their order, where that counts; the parser has forgotten it.
  let letters: [ArgumentExpansion.Letter]
  /// Whether the program was called by the name of its predecessor.
  let isOldName: Bool
}

extension RunCommand {
  /// What the options mean.
  ///
  /// - Parameters:
  ///   - arguments: the command line, split.
  ///   - isOldName: whether the program was called by the name of its predecessor.
  func configuration(_ arguments: [String], isOldName: Bool) throws -> Configuration {
    let context = OptionContext(letters: Self.expansion.letters(in: arguments), isOldName: isOldName)
    let values = context.values
    var configuration = Configuration(input: InputConfiguration(.live(input.n)))
    if process.daemonize {
      guard output.hasTarget else { throw UsageError("Missing -w option") }
      if output.w == "-" { throw UsageError("Daemon cannot write to stdout") }
    }
    configuration.input.compatibility = try values.version(input.compat)
    if isOldName { configuration.process.programName = Self.oldName }
    try setQueries(&configuration.outputs[0], context)
    try complete(&configuration, context)
    try configuration.setLimits(matching, values)
    try setInput(&configuration.input, values)
    try setOutput(&configuration, values)
    try setProcess(&configuration.process, context)
    configuration.input.reportsOrphans = configuration.input.compatibility == nil && !isOldName
    return configuration
  }

  /// Queries are put together in the order in which they and the files with them are given.
  private func setQueries(_ output: inout OutputConfiguration, _ context: OptionContext) throws(UsageError) {
    output.queriesAreCaseless = matching.caseless
    do throws(QueryFileError) {
      for (letter, value) in context.letters {
        switch (letter, value) {
        case ("q", .some(let text)): output.queries.append(text.argumentBytes)
        case ("Q", .some(let file)): output.queries.append(try QueryFile.read(file))
        default: continue
        }
      }
    } catch {
      throw UsageError(error.description)
    }
  }

  private func setInput(_ configuration: inout InputConfiguration, _ values: OptionValues) throws {
    if let file = input.r {
      if input.n != nil {
        let isOld = configuration.compatibility.map { $0 < VarnishVersion(5, 2, 0) } ?? false
        throw UsageError("Only one of -n\(isOld ? ", -N" : "") and -r options may be used")
      }
      if file == "-", process.daemonize { throw UsageError("Daemon cannot read from stdin") }
      configuration.source = .file(file)
    } else {
      configuration.attachSeconds = try values.attachSeconds(input.t)
    }
    configuration.existingOnly = input.d
  }

  private func setProcess(_ configuration: inout ProcessConfiguration, _ context: OptionContext) throws {
    let values = context.values
    configuration.daemonizes = process.daemonize
    configuration.version = SpillwayCommand.version
    configuration.account = try values.account(process.user)
    configuration.isSandboxed = try values.isSandboxed(process, usually: process.user != nil)
    configuration.statusSocket = try values.statusPlace(
      process.statusSocket, isService: process.daemonize && !context.isOldName)
    configuration.pidFile = process.pidFile.map(values.absolute)
    configuration.drainSeconds =
      try values.time(process.drain, option: "--drain")?.seconds ?? configuration.drainSeconds
    if context.isOldName {
      configuration.hangup =
        process.daemonize && output.hasTarget || InheritedState.ignoresHangups ? .reopen : .end
    }
    configuration.report = try values.report(process)
    configuration.showsAccounting = process.stats || (input.r == nil && !context.isOldName)
  }

  private func setSpool(_ configuration: inout Configuration, _ values: OptionValues) throws {
    configuration.process.spoolBytes =
      try values.size(output.spoolMemory, option: "--spool-memory") ?? configuration.process.spoolBytes
    configuration.outputs[0].spoolDirectory = output.spoolDir.map(values.absolute)
    configuration.outputs[0].spoolDiskBytes =
      try values.size(output.spoolDisk, option: "--spool-disk") ?? configuration.outputs[0].spoolDiskBytes
    if output.spoolDisk != nil, output.spoolDir == nil {
      throw UsageError("--spool-disk needs a directory: --spool-dir DIRECTORY")
    }
    guard let text = output.overflow else { return }
    guard let overflow = OutputConfiguration.Overflow(rawValue: text) else {
      throw UsageError("--overflow: \"\(text)\" is none of spill, drop and block")
    }
    switch overflow {
    case .spill where output.spoolDir == nil:
      throw UsageError("--overflow spill needs a directory: --spool-dir DIRECTORY")
    case .drop where output.spoolDir != nil, .block where output.spoolDir != nil:
      throw UsageError("--overflow \(text) doesn't go with --spool-dir")
    case .block where input.r == nil:
      throw UsageError("--overflow block: only a log in a file can wait (-r FILE)")
    default: configuration.outputs[0].overflow = overflow
    }
  }

  private func setOutput(_ configuration: inout Configuration, _ values: OptionValues) throws {
    try setSpool(&configuration, values)
    configuration.outputs[0].marksGaps = output.markGaps
    if output.markGaps, configuration.outputs[0].isBinary {
      throw UsageError("--mark-gaps needs lines: a file of records has none (-A)")
    }
    let fileOnly = [
      ("--rotate-size", output.rotateSize), ("--rotate-every", output.rotateEvery),
      ("--keep", output.keep), ("--keep-for", output.keepFor), ("--keep-bytes", output.keepBytes),
      ("--symlink", output.symlink), ("--post-rotate", output.postRotate),
      ("--post-rotate-timeout", output.postRotateTimeout), ("--mode", output.mode), ("--owner", output.owner),
      ("--gzip", output.gzip),
    ]
    let onRestart = try values.restartPolicy(output.onRestart)
    let consumer = try values.consumer(output, onRestart)
    guard let path = output.w, path != "-" else {
      if let (option, _) = fileOnly.first(where: { $0.1 != nil }) {
        throw UsageError("\(option) needs a file: -w FILE")
      }
      if consumer != nil, output.a { throw UsageError("-a needs a file: -w FILE") }
      if consumer == nil, output.onRestart != nil {
        throw UsageError("--on-restart needs --exec, --socket or a named pipe: -w FILE")
      }
      configuration.outputs[0].target = consumer ?? .standardOutput
      return
    }
    configuration.outputs[0].target = .file(try values.file(path, output, onRestart))
  }
}
