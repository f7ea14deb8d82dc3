import ArgumentParser
import LogReading
import Replay
import VarnishLog

/// When replayed transactions are written, and how often the logs are replayed.
struct PaceOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "So many times as fast as it was recorded: 10x, 0.5x. (default: 1x)", valueName: "factor"))
  var speed: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("So many transactions a second, evenly spaced.", valueName: "number"))
  var rate: String?

  @Flag(help: "As fast as it goes.")
  var max = false

  @Flag(help: "Play all of it again and again, until a signal ends it.")
  var loop = false

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Play all of it this many times.", valueName: "number"))
  var times: String?

  func pace() throws(UsageError) -> ReplayOptions.Pace {
    guard [speed != nil, rate != nil, max].count(where: { $0 }) <= 1 else {
      throw UsageError("Only one of --speed, --rate and --max can be chosen")
    }
    if max { return .max }
    if let rate { return .rate(try positive(rate, option: "--rate")) }
    guard let speed else { return .recorded(speed: 1) }
    let number = speed.hasSuffix("x") ? String(speed.dropLast()) : speed
    return .recorded(speed: try positive(number, of: speed, option: "--speed"))
  }

  /// How often the logs are replayed; nil means without end.
  func passes(_ values: OptionValues) throws(UsageError) -> Int? {
    guard let times else { return loop ? nil : 1 }
    guard !loop else { throw UsageError("Only one of --loop and --times can be chosen") }
    return try values.number(times, option: "--times", in: 1...Int(Int32.max))
  }

  private func positive(
    _ text: String, of whole: String? = nil, option: String
  ) throws(UsageError) -> Double {
    guard let number = Double(text), (1e-6...1e12).contains(number) else {
      throw UsageError("\(option): \"\(whole ?? text)\" is not a number from 0.000001 to 1000000000000")
    }
    return number
  }
}

/// What is changed on the way into the live log.
struct ChangeOptions: ParsableArguments {
  @Flag(
    help:
      "Give transactions other numbers, wherever they are named; each further input and time does that anyway."
  )
  var newVxids = false

  @Flag(help: "Move the times in records to those at which they are played.")
  var shiftTimes = false
}

/// The live log's properties, and how long it exists.
struct LiveLogOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How long transactions' numbers are: 32 bits as up to 7.2, or 64. (default: as recorded)",
      valueName: "bits"))
  var layout: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Write the log as this Varnish version does, 4.1 to 9.0. (default: as recorded)",
      valueName: "version"))
  var numbering: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The size of the log. (default: 80M)", valueName: "size"))
  var vslSpace: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How long readers have to find the log before it is played. (default: 2s)", valueName: "time"))
  var startDelay: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How long readers have to read the rest before the log goes. (default: 2s)", valueName: "time"))
  var linger: String?

  func recordLayout() throws(UsageError) -> LogLayout? {
    switch layout {
    case nil: return nil
    case "32": return .narrow
    case "64": return .wide
    case .some(let text): throw UsageError("--layout: \"\(text)\" is neither 32 nor 64")
    }
  }

  func tagNumbering() throws(UsageError) -> TagNumbering? {
    guard let numbering else { return nil }
    guard let version = VarnishVersion(parsing: numbering), version >= VarnishVersion(4, 1, 0) else {
      throw UsageError("--numbering: \"\(numbering)\" is not a Varnish version from 4.1 to 9.0")
    }
    return TagNumbering(of: version)
  }

  func byteCount(_ values: OptionValues) throws(UsageError) -> Int? {
    guard let vslSpace, let bytes = try values.size(vslSpace, option: "--vsl-space") else { return nil }
    guard (64 << 10...4 << 30).contains(bytes) else {
      throw UsageError("--vsl-space: \"\(vslSpace)\" is not a size from 64K to 4G")
    }
    return bytes & ~7
  }
}
