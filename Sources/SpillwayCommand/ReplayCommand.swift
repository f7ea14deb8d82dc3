import Shipping
import ArgumentParser
import LogReading
import Replay
import VarnishLog

/// `spillway replay`: plays captured logs into a live one.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Play captured logs into a live one, for readers to follow.",
    discussion: """
      Makes a shared-memory log as a cache does, and writes the transactions of what was captured into it \
      when they are due: at the times that they had, faster, at a steady rate, or as fast as it goes. \
      'spillway ncsa -n DIR' and the log's other readers follow it. Each input is what 'spillway ncsa -r' \
      takes: a binary log file of any Varnish version, a ring, or the copy of a server's directory, perhaps \
      in a tar archive, plain or compressed. Several are played one after the other.
      """)

  @Argument(
    help: "A file, a directory, or an archive and perhaps a path in it; '-' is standard input.")
  var inputs: [String]

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("Where the log is made: what readers are given with -n.", valueName: "dir"))
  var n: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Read the inputs as logs of this Varnish version, 2.0 to 9.0. (default: told by the logs)",
      valueName: "version"))
  var from: String?

  @Flag(help: "Play several inputs side by side, in the order of their times.")
  var merge = false

  @Flag(help: "Search damaged parts for records, and list the bytes that were given up.")
  var salvage = false

  @OptionGroup(title: "Pace") var pace: PaceOptions
  @OptionGroup(title: "Changes") var changes: ChangeOptions
  @OptionGroup(title: "Log") var log: LiveLogOptions

  func run() throws {
    do {
      let replay = LogReplay(try replayOptions()) { SpillwayCommand.complain($0, as: "spillway") }
      let report = try replay.run()
      if report.isFaulty { throw ExitCode(ExitStatus.failure) }
      if report.isIncomplete { throw ExitCode(ExitStatus.incomplete) }
    } catch let error as ReplayError {
      SpillwayCommand.complain(error.description, as: "spillway")
      throw ExitCode(ExitStatus.failure)
    } catch let error as UsageError {
      SpillwayCommand.complain(error.description, as: "spillway")
      throw ExitCode(ExitStatus.failure)
    }
  }

  private func replayOptions() throws -> ReplayOptions {
    guard let n else { throw UsageError("Missing -n option: where to make the log") }
    guard !n.isEmpty else { throw UsageError("-n: \"\" is no directory") }
    if inputs.count(where: { $0 == "-" }) > 1 { throw UsageError("-: standard input can be read once") }
    let values = OptionValues()
    var options = ReplayOptions(inputs: inputs, directory: try InstanceName(n).path)
    options.capture.numbering = try values.release(from).map { TagNumbering(of: $0) }
    options.capture.salvages = salvage
    options.merges = merge
    options.pace = try pace.pace()
    options.passes = try pace.passes(values)
    options.renumbers = changes.newVxids
    options.shiftsTimes = changes.shiftTimes
    options.layout = try log.recordLayout()
    options.numbering = try log.tagNumbering()
    options.logByteCount = try log.byteCount(values) ?? options.logByteCount
    options.startDelaySeconds =
      try values.time(log.startDelay, option: "--start-delay")?.seconds ?? options.startDelaySeconds
    options.lingerSeconds =
      try values.time(log.linger, option: "--linger")?.seconds ?? options.lingerSeconds
    return options
  }
}
