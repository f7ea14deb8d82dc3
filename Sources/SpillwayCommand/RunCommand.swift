import ArgumentParser
import Pipeline
import Platform
import Shipping
import VarnishLog

/// A command that reads a log until the log or the process ends.
protocol LogReadingCommand: ParsableCommand {
  var input: InputOptions { get }
  var process: ProcessOptions { get }
  /// Whether the options name a target, so that output doesn't go to standard output by default.
  var hasTarget: Bool { get }
}

/// The common part of commands that carry a log to outputs.
protocol RunCommand: LogReadingCommand {
  /// The predecessor's name for the command, under which the predecessor's rules apply.
  static var oldName: String { get }
  /// The predecessor's message and exit status when it can't open its output.
  static var oldOpenFailure: (words: String, status: Int32) { get }
  /// The options, for splitting the command line, by the rules of a version if one is asked for.
  static func expansion(for version: VarnishVersion?) -> ArgumentExpansion

  var matching: MatchingOptions { get }
  var output: OutputOptions { get }

  /// The output that the options describe, which also has the defaults for `--output`.
  func request(_ context: OptionContext) throws -> OutputRequest
  /// What an output shows if its settings don't say so.
  func shown(_ target: OutputRequest) -> OutputRequest.Shown
  /// Applies options of 2.0 to 3.0 to the input.
  func setOldOptions(_ input: inout InputConfiguration, _ context: OptionContext) throws(UsageError)
  /// How long a transaction may be unfinished, in seconds; nil means the default.
  func timeoutSeconds(_ values: OptionValues) throws(UsageError) -> Double?
}

/// What is needed, besides the options, to interpret them.
struct OptionContext {
  let values = OptionValues()
  /// The options of one letter in their order, where the order counts: the parser doesn't keep it.
  let letters: [ArgumentExpansion.Letter]
  /// Whether the program was called by its predecessor's name.
  let isOldName: Bool
}

extension RunCommand {
  var hasTarget: Bool { output.hasTarget || !output.outputs.isEmpty }

  /// The configuration that the options ask for.
  ///
  /// - Parameters:
  ///   - arguments: the command line, split.
  ///   - letters: the options of one letter among the arguments.
  ///   - isOldName: whether the program was called by its predecessor's name.
  func configuration(
    _ arguments: [String], letters: [ArgumentExpansion.Letter], isOldName: Bool
  ) throws -> Configuration {
    let context = OptionContext(letters: letters, isOldName: isOldName)
    let values = context.values
    var configuration = Configuration(input: InputConfiguration(.instance(input.n)))
    if process.daemonize, output.outputs.isEmpty {
      guard output.hasTarget else { throw UsageError("Missing -w option") }
      if output.w == "-" { throw UsageError("Daemon cannot write to stdout") }
    }
    configuration.input.compatibility = try values.version(input.compat)
    configuration.input.release = try values.release(input.from)
    try setOldOptions(&configuration.input, context)
    if isOldName { configuration.process.programName = Self.oldName }
    var request = try request(context)
    // --spool-memory is the limit for all outputs together.
    request.output.spoolMemory = nil
    let outputContext = self.outputContext(configuration, context)
    var single = OutputConfiguration()
    let hasOne = output.outputs.isEmpty
    if hasOne {
      try request.setQueries(&single)
      try request.setGrouping(&single, values)
    }
    configuration.input.timeoutSeconds = try timeoutSeconds(values) ?? configuration.input.timeoutSeconds
    if hasOne { try request.setShown(&single, outputContext) }
    configuration.input.openTransactionsMax =
      try values.limit(matching.openLimit) ?? configuration.input.openTransactionsMax
    if hasOne { try request.setLimits(&single, values) }
    try input.set(&configuration.input, values, isOldName: isOldName, daemonizes: process.daemonize)
    configuration.process.spoolBytes =
      try values.size(output.spoolMemory, option: "--spool-memory") ?? configuration.process.spoolBytes
    if hasOne {
      try request.setTarget(&single, outputContext)
      configuration.outputs = [single]
    } else {
      configuration.outputs = try outputs(of: request, configuration, outputContext)
    }
    try setProcess(&configuration.process, context)
    try configuration.checkCheckpoint()
    configuration.input.reportsOrphans = configuration.input.compatibility == nil && !isOldName
    return configuration
  }

  /// What is needed, besides an output's options, to interpret them.
  private func outputContext(_ configuration: Configuration, _ context: OptionContext) -> OutputContext {
    let name = configuration.process.programName
    // Predecessors don't warn of settings that may be unintended.
    let isTalkative = configuration.input.compatibility == nil && !context.isOldName
    return OutputContext(
      values: context.values, canWait: !input.r.isEmpty, keepsJSONBytes: context.isOldName,
      warn: { if isTalkative { SpillwayCommand.complain($0, as: name) } },
      object: { error throws(UsageError) in throw error })
  }

  /// The configuration of each `--output`, with the options outside as defaults.
  private func outputs(
    of request: OutputRequest, _ configuration: Configuration, _ context: OutputContext
  ) throws -> [OutputConfiguration] {
    guard !output.hasTarget else {
      throw UsageError("-w, --exec and --socket don't go with --output: the target belongs into each")
    }
    var defaults = request
    defaults.shown = nil
    let outputs = try OutputsInOptions(output.outputs, defaults: defaults, context, shown: shown)
      .configurations(in: configuration)
    if process.daemonize, outputs.contains(where: { $0.target == .standardOutput }) {
      throw UsageError("Daemon cannot write to stdout")
    }
    return outputs
  }
}

extension LogReadingCommand {
  /// Sets what concerns the process.
  func setProcess(_ configuration: inout ProcessConfiguration, _ context: OptionContext) throws {
    let values = context.values
    configuration.daemonizes = process.daemonize
    configuration.version = SpillwayCommand.version
    configuration.account = try values.account(process.user)
    configuration.isSandboxed = try values.isSandboxed(process, usually: process.user != nil)
    configuration.statusSocket = try values.statusPlace(
      process.statusSocket, isService: process.daemonize && !context.isOldName)
    configuration.pidFile = process.pidFile.map(values.absolute)
    configuration.resume = try values.checkpoint(process.resume)
    configuration.drainSeconds =
      try values.time(process.drain, option: "--drain")?.seconds ?? configuration.drainSeconds
    configuration.threads = try values.threads(process.threads) ?? configuration.threads
    if context.isOldName {
      configuration.hangup =
        unsafe process.daemonize && hasTarget
        || InheritedState.ignoresHangups
        ? .reopen : .end
    }
    configuration.report = try values.report(process)
    configuration.showsAccounting = process.stats || (input.r.isEmpty && !context.isOldName)
  }
}
