import ArgumentParser
import Glibc
import Pictures
import Pipeline
import Platform
import Shipping
import TerminalViews
import VarnishLog

/// The common part of commands that read a log and show statistics of it.
protocol PictureCommand: ParsableCommand {
  /// The predecessor's name for the command.
  static var oldName: String { get }
  /// The options, for splitting the command line.
  static var expansion: ArgumentExpansion { get }

  var input: InputOptions { get }
  var matching: MatchingOptions { get }
  var threads: String? { get }
  var showVersion: Bool { get }

  /// Shows the statistics, and returns the run's outcome.
  func show(_ context: OptionContext) throws -> RunOutcome
}

extension PictureCommand {
  /// The memory for entries that wait to be counted: enough to keep both threads busy.
  private static var spoolBytes: Int { 1 << 20 }
  /// The same memory for a live log: more, as the log's writer can't wait.
  private static var liveSpoolBytes: Int { 16 << 20 }

  /// The run's configuration without outputs.
  func configuration(_ context: OptionContext) throws -> Configuration {
    let values = context.values
    var configuration = Configuration(input: InputConfiguration(.instance(input.n)))
    configuration.input.compatibility = try values.version(input.compat)
    configuration.input.release = try values.release(input.from)
    if context.isOldName { configuration.process.programName = Self.oldName }
    try input.set(&configuration.input, values, isOldName: context.isOldName)
    configuration.input.timeoutSeconds =
      try values.timeout(matching.timeout) ?? configuration.input.timeoutSeconds
    configuration.input.openTransactionsMax =
      try values.limit(matching.openLimit) ?? configuration.input.openTransactionsMax
    configuration.input.reportsOrphans = false
    // One thread by default: the pieces that several threads read at a time take more memory than all else.
    configuration.process.threads = try values.threads(threads) ?? 1
    configuration.process.spoolBytes = input.r.isEmpty ? Self.liveSpoolBytes : Self.spoolBytes
    configuration.process.hangup = .end
    configuration.process.showsAccounting = false
    configuration.outputs = []
    return configuration
  }

  /// An output whose entries go to an observer.
  func output(
    _ request: OutputRequest, _ context: OptionContext, to observer: ObserverTarget
  ) throws -> OutputConfiguration {
    var request = request
    request.set(matching, context.letters)
    var output = OutputConfiguration()
    let outputContext = OutputContext(
      values: context.values, canWait: !input.r.isEmpty, keepsJSONBytes: false, warn: { _ in },
      object: { error throws(UsageError) in throw error })
    try request.setQueries(&output)
    try request.setGrouping(&output, context.values)
    try request.setShown(&output, outputContext)
    try request.setLimits(&output, context.values)
    // In a log without transactions, transactions are made from its records.
    output.isGroupingStated = true
    output.target = .observer(observer)
    return output
  }

  /// The name of the log or the instance, for a title.
  var title: String { input.r.last ?? input.memoryFile ?? input.n ?? "" }

  /// Runs to the end of the log, and reports what was lost.
  func runOnce(_ configuration: Configuration) throws -> RunOutcome {
    var configuration = configuration
    configuration.input.existingOnly = true
    let monitor = RunMonitor()
    configuration.process.monitor = monitor
    let outcome = try PictureRun.run(configuration)
    let ledger = monitor.progress.ledger
    if ledger.dropped + ledger.lost > 0 {
      SpillwayCommand.complain("not everything is counted: \(ledger)", as: configuration.process.programName)
    }
    return outcome
  }
}
