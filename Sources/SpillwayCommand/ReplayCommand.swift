import Shipping
import ArgumentParser
import LogReading
import Replay
import VarnishLog

/// `spillway replay`: plays a captured log into a live one.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Play a captured log into a live one, for readers to follow.",
    discussion: """
      Makes a shared-memory log as a cache does, and writes the transactions of a binary log file into it \
      when they are due: at the times that they had, faster, at a steady rate, or as fast as it goes. \
      'spillway ncsa -n DIR' and the log's other readers follow it.
      """)

  @Argument(help: "A binary log file, perhaps compressed; '-' is standard input.")
  var input: String

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("Where the log is made: what readers are given with -n.", valueName: "dir"))
  var n: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Which Varnish version has written the file, 2.0 to 9.0. (default: what its first records tell)",
      valueName: "version"))
  var from: String?

  @OptionGroup(title: "Pace") var pace: PaceOptions
  @OptionGroup(title: "Changes") var changes: ChangeOptions
  @OptionGroup(title: "Log") var log: LiveLogOptions

  func run() throws {
    do {
      let replay = LogReplay(try replayOptions()) { SpillwayCommand.complain($0, as: "spillway") }
      let report = try replay.run()
      if report.isFaulty { throw ExitCode(ExitStatus.failure) }
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
    let values = OptionValues()
    var options = ReplayOptions(input: input, directory: try InstanceName(n).path)
    options.release = try values.release(from).map { TagNumbering(of: $0) }
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
