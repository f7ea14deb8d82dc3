import ArgumentParser
import Pipeline
import Platform
import Shipping
import VarnishLog

/// A command that reads a log for as long as there is something in it.
protocol LogReadingCommand: ParsableCommand {
  var input: InputOptions { get }
  var process: ProcessOptions { get }
  /// Whether what it makes of the log goes somewhere by its options, and not to standard output.
  var hasTarget: Bool { get }
}

/// A command that carries a log to an output; what all of them have in common.
protocol RunCommand: LogReadingCommand {
  /// The program whose place it takes, and under whose name its old rules hold.
  static var oldName: String { get }
  /// What that program says when it can't open its output, and the status it ends with.
  static var oldOpenFailure: (words: String, status: Int32) { get }
  /// How its command line is split, where the rules of a version are insisted on.
  static func expansion(for version: VarnishVersion?) -> ArgumentExpansion

  var matching: MatchingOptions { get }
  var output: OutputOptions { get }

  /// What the options say of an output; `--output` begins with the same.
  func request(_ context: OptionContext) throws -> OutputRequest
  /// What is shown by an output that says nothing of it.
  func shown(_ target: OutputRequest) -> OutputRequest.Shown
  /// What options of 2.0 to 3.0 say of the log.
  func setOldOptions(_ input: inout InputConfiguration, _ context: OptionContext) throws(UsageError)
  /// How long a transaction may be unfinished; nil is the usual time.
  func timeoutSeconds(_ values: OptionValues) throws(UsageError) -> Double?
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
  var hasTarget: Bool { output.hasTarget || !output.outputs.isEmpty }

  /// What the options mean.
  ///
  /// - Parameters:
  ///   - arguments: the command line, split.
  ///   - letters: the options of one letter in it.
  ///   - isOldName: whether the program was called by the name of its predecessor.
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
    // What all outputs may take together.
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

  /// What is needed beside an output's options to know what they mean.
  private func outputContext(_ configuration: Configuration, _ context: OptionContext) -> OutputContext {
    let name = configuration.process.programName
    // Predecessors say nothing of what may not have been meant.
    let isTalkative = configuration.input.compatibility == nil && !context.isOldName
    return OutputContext(
      values: context.values, canWait: !input.r.isEmpty, keepsJSONBytes: context.isOldName,
      warn: { if isTalkative { SpillwayCommand.complain($0, as: name) } },
      object: { error throws(UsageError) in throw error })
  }

  /// What every `--output` means, together with what is given outside.
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
  /// Takes over what concerns the process.
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
