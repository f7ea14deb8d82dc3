import Shipping
import ArgumentParser
import Demo
import Pipeline

/// `spillway demo`: shows what Spillway does, without a cache.
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Follow a log with made-up traffic: needs no Varnish.",
    discussion: """
      Writes the log of some busy web sites into shared memory, as Varnish 7.1 would, follows it, and writes \
      a line for each request. On a terminal a panel shows how it stands: s stalls the consumer and lets it go \
      on, + and - change the rate, q ends.
      """)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many requests a second. (default: 50)", valueName: "number"))
  var rate: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("End after this many requests.", valueName: "number"))
  var count: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("End after this time: 30s, 5m.", valueName: "time"))
  var duration: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The same number gives the same traffic, but for the times.", valueName: "number"))
  var seed: String?

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("Where to write the log. (default: a new directory)", valueName: "dir"))
  var n: String?

  @Flag(help: "Only lines, on a terminal too.")
  var noPanel = false

  @OptionGroup(title: "Selection") var selection: LineSelectionOptions
  @OptionGroup(title: "Format") var format: FormatOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How much memory lines may take while the output is busy. (default: 16M)", valueName: "size"))
  var spoolMemory: String?

  func run() throws {
    do {
      throw ExitCode(ExitStatus.of(try Demo.run(try demoOptions())))
    } catch let error as ExitCode {
      throw error
    } catch {
      SpillwayCommand.complain("\(error)", as: "spillway")
      throw ExitCode(ExitStatus.failure)
    }
  }

  /// What the options mean.
  private func demoOptions() throws -> DemoOptions {
    let values = OptionValues()
    var options = DemoOptions()
    var configuration = options.configuration
    var request = try OutputRequest.blank()
    request.set(selection.matching, [])
    request.set(selection, format)
    request.queries =
      selection.matching.q.map { .text(Array($0.utf8)) } + selection.matching.queryFiles.map { .file($0) }
    let context = OutputContext(
      values: values, canWait: false, keepsJSONBytes: false,
      warn: { SpillwayCommand.complain($0, as: "spillway") },
      object: { error throws(UsageError) in throw error })
    try request.setGrouping(&configuration.outputs[0], values)
    configuration.input.timeoutSeconds =
      try values.seconds(selection.matching.timeout, option: "-T") ?? configuration.input.timeoutSeconds
    try request.setShown(&configuration.outputs[0], context)
    configuration.input.openTransactionsMax =
      try values.limit(selection.matching.openLimit) ?? configuration.input.openTransactionsMax
    try request.setLimits(&configuration.outputs[0], values)
    try request.setQueries(&configuration.outputs[0])
    configuration.process.spoolBytes =
      try values.size(spoolMemory, option: "--spool-memory") ?? configuration.process.spoolBytes
    options.configuration = configuration
    options.rate = try rateValue() ?? options.rate
    options.count = try values.number(count, option: "--count", in: 1...Int(Int32.max))
    options.seconds = try values.time(duration, option: "--duration")?.seconds
    options.seed = try seedValue()
    options.directory = n.map(values.absolute)
    options.showsPanel = !noPanel
    return options
  }

  private func rateValue() throws(UsageError) -> Double? {
    guard let rate else { return nil }
    guard let number = Double(rate), number >= 0.01, number <= 1e6 else {
      throw UsageError("--rate: \"\(rate)\" is not a number from 0.01 to 1000000")
    }
    return number
  }

  private func seedValue() throws(UsageError) -> UInt64? {
    guard let seed else { return nil }
    guard let number = UInt64(seed) else {
      throw UsageError("--seed: \"\(seed)\" is not a number from 0 to \(UInt64.max)")
    }
    return number
  }
}
