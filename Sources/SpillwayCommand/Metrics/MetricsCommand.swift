import ArgumentParser
import Glibc
import Metrics
import Pipeline
import Platform
import Shipping
import VarnishLog

/// `spillway metrics`: serves a server's metrics to Prometheus, or writes them to a file.
struct MetricsCommand: LogReadingCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "Serve metrics for Prometheus: of requests, of the server's counters, and of the run.",
    discussion: """
      Follows the log of a running Varnish, counts its requests and fetches by how long they took, and serves that, \
      with what the server counts, at /metrics; with --textfile it writes a file for node_exporter. Of a captured log \
      it prints metrics once.
      """)

  @OptionGroup(title: "Metrics") var metrics: MetricsOptions
  @OptionGroup(title: "Input") var input: InputOptions
  @OptionGroup(title: "Selection") var matching: MatchingOptions
  @OptionGroup(title: "Output") var spool: MetricsSpoolOptions
  @OptionGroup(title: "Process") var process: ProcessOptions

  @Flag(name: .short, help: "Backend requests only.")
  var b = false

  @Flag(name: .short, help: "Client requests only; with -b both, as without either.")
  var c = false

  @Flag(name: [.customShort("E")], help: "ESI subrequests too.")
  var esi = false

  var hasTarget: Bool { true }

  /// Whether a run ends by itself, so that metrics can be printed at its end.
  private var ends: Bool { !input.r.isEmpty || input.d }

  /// Whether metrics are printed when the log has ended.
  var prints: Bool { metrics.textfile == "-" || (ends && metrics.textfile == nil && metrics.listen == nil) }

  /// The configuration that the options ask for.
  ///
  /// - Parameter letters: the options of one letter in their order.
  func configuration(
    _ letters: [ArgumentExpansion.Letter]
  ) throws -> (configuration: Configuration, metrics: MetricsOutput) {
    let context = OptionContext(letters: letters, isOldName: false)
    let values = context.values
    if process.daemonize, prints { throw UsageError("Daemon cannot write to stdout") }
    var configuration = Configuration(input: InputConfiguration(.instance(input.n)))
    configuration.input.compatibility = try values.version(input.compat)
    configuration.input.release = try values.release(input.from)
    configuration.input.timeoutSeconds =
      try values.timeout(matching.timeout) ?? configuration.input.timeoutSeconds
    configuration.input.openTransactionsMax =
      try values.limit(matching.openLimit) ?? configuration.input.openTransactionsMax
    configuration.input.reportsOrphans = configuration.input.compatibility == nil
    try input.set(&configuration.input, values, isOldName: false, daemonizes: process.daemonize)
    configuration.process.spoolBytes =
      try values.size(spool.spoolMemory, option: "--spool-memory") ?? configuration.process.spoolBytes
    try setProcess(&configuration.process, context)
    let shelf = MetricsShelf()
    configuration.process.statusBoard = shelf.board
    var settings = try settings(values)
    settings.instance = InstancePlace(configuration.input)
    let metrics = shelf.output(settings)
    var request = try OutputRequest.blank()
    request.set(matching, letters)
    request.side = OutputRequest.Side(client: c, backend: b)
    request.includesESI = esi
    var output = OutputConfiguration()
    output.name = "metrics"
    try request.setQueries(&output)
    try request.setGrouping(&output, values)
    try request.setLimits(&output, values)
    request.setMetrics(&output)
    output.target = .observer(ObserverTarget(metrics))
    configuration.outputs = [output]
    try configuration.checkCheckpoint()
    return (configuration, metrics)
  }

  private func settings(_ values: OptionValues) throws(UsageError) -> MetricsSettings {
    var settings = MetricsSettings()
    settings.listen = try values.listenAddress(metrics.listen)
    if metrics.listen == nil, metrics.textfile == nil, !prints { settings.listen = .usual }
    if metrics.textfile != "-" { settings.textfile = try values.textfile(metrics.textfile) }
    let period = try values.textfilePeriod(metrics.textfileEvery)
    if period != nil, settings.textfile == nil {
      throw UsageError("--textfile-every needs a file: --textfile PATH")
    }
    settings.textfileNanoseconds = period ?? settings.textfileNanoseconds
    settings.requests.buckets = try values.buckets(values.parts(metrics.buckets)) ?? settings.requests.buckets
    settings.requests.labels = try values.labels(values.parts(metrics.labels)) ?? settings.requests.labels
    settings.requests.valuesMax = try values.labelLimit(metrics.labelLimit) ?? settings.requests.valuesMax
    settings.requests.setsMax = try values.setLimit(metrics.setLimit) ?? settings.requests.setsMax
    return settings
  }
}

extension SpillwayCommand {
  /// Serves or writes metrics until the log or the process ends.
  static func tellMetrics(_ arguments: [String], _ manager: ServiceManager) -> Never {
    let expansion = ArgumentExpansion.metrics
    let name = MetricsCommand.configuration.commandName ?? ""
    do {
      let expanded = try expansion(arguments)
      try expansion.checkBytes(expanded)
      let command = try parse(MetricsCommand.self, expanded, isOldName: false)
      if command.process.showVersion {
        complain("spillway (spillway \(version))", as: nil)
        exit(ExitStatus.success)
      }
      let (configuration, metrics) = try command.configuration(expansion.letters(in: expanded))
      let outcome = try Pipeline.run(configuration, telling: manager)
      if command.prints { try StandardOutput.write(metrics.exposition()) }
      exit(ExitStatus.of(outcome))
    } catch let error as RunError {
      complain(error.description, as: "spillway", keepingLines: error.hasLines)
      exit(ExitStatus.failure)
    } catch let error as ArgumentExpansion.Mistake {
      complain(error.description, as: "spillway")
      complain("Usage: spillway \(name) <options>; --help lists them", as: nil)
      exit(ExitStatus.failure)
    } catch let error as UsageError {
      complain(error.description, as: "spillway")
      exit(ExitStatus.failure)
    } catch {
      leave(error, RootCommand.self)
    }
  }
}
