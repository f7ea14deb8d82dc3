import ArgumentParser
import Glibc
import LogConversion
import LogReading
import Pipeline
import Platform
import VarnishLog

/// `spillway convert`: turns captured logs into lines, text or a binary log.
///
/// `ncsa -r` and `log -r` make the lines and the text; this type parses only `--to vsl` and has the help.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Make lines, text or a binary log of captured logs.",
    usage: """
      spillway convert <input> ... [--to ncsa] [<options of spillway ncsa>]
             spillway convert <input> ... --to log [<options of spillway log>]
             spillway convert <input> ... --to vsl --as <version> [-w <file>]
      """,
    discussion: """
      Finds out what each input is: a binary log file of any Varnish version, a ring, or the copy of a \
      server's directory, perhaps in a tar archive, plain or compressed. Lines and text take every option \
      that 'spillway ncsa' and 'spillway log' have beside -r.
      """)

  @Argument(
    help: "A file, a directory, or an archive and perhaps a path in it; '-' is standard input.")
  var inputs: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("What is made of it: ncsa, log or vsl. (default: ncsa)", valueName: "form"))
  var to: String?

  @Option(
    name: .customLong("as"), parsing: .unconditional,
    help: ArgumentHelp(
      "With --to vsl: write the binary log as this Varnish version does, 2.0 to 9.0.", valueName: "version"))
  var version: String?

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("The output file. (default: standard output)", valueName: "file"))
  var w: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Read the inputs as logs of this Varnish version, 2.0 to 9.0. (default: told by the logs)",
      valueName: "version"))
  var from: String?

  @Flag(help: "Search damaged parts for records, and list the bytes that were given up.")
  var salvage = false

  /// The value of `--to` in a command line that isn't split yet, and the arguments without it.
  static func target(in arguments: [String]) -> (target: String?, rest: [String]) {
    var target: String?
    var rest: [String] = []
    var left = arguments[...]
    while let argument = left.popFirst() {
      if argument == "--" {
        return (target, rest + [argument] + left)
      } else if argument == "--to", let value = left.popFirst() {
        target = value
      } else if argument.hasPrefix("--to=") {
        target = String(argument.dropFirst("--to=".count))
      } else {
        rest.append(argument)
      }
    }
    return (target, rest)
  }

  func run() throws {
    do {
      try convert()
    } catch let error as UsageError {
      SpillwayCommand.complain(error.description, as: "spillway")
      throw ExitCode(ExitStatus.failure)
    } catch let error as LogError {
      SpillwayCommand.complain(error.description, as: "spillway")
      throw ExitCode(ExitStatus.failure)
    } catch let error as SystemError {
      SpillwayCommand.complain(RunError.output(error).description, as: "spillway")
      throw ExitCode(ExitStatus.outputFailed)
    }
  }

  private func convert() throws {
    guard !inputs.isEmpty else { throw UsageError("Missing input: what is to be converted") }
    guard let version else { throw UsageError("Missing --as option: the Varnish version of the binary log") }
    guard let release = VarnishVersion(parsing: version) else {
      throw UsageError("--as: \"\(version)\" is not a Varnish version from 2.0 to 9.0")
    }
    if inputs.count(where: { $0 == "-" }) > 1 { throw UsageError("-: standard input can be read once") }
    var options = CaptureOptions()
    options.salvages = salvage
    options.numbering = try OptionValues().release(from).map { TagNumbering(of: $0) }
    // All inputs must be found before anything is written.
    let paths = inputs
    var found = try FixedList<CapturedInput?>(count: paths.count) { (index) throws(LogError) in
      try CapturedInput.find(paths[index])
    }
    let output = try openOutput(found)
    defer { if output != STDOUT_FILENO { close(output) } }
    var converter = LogConverter(to: TagNumbering(of: release), output, named: w ?? "standard output") {
      SpillwayCommand.complain($0, as: "spillway")
    }
    for index in 0..<found.count {
      guard let input = found[index].take() else { continue }
      let path = input.path
      let log: CapturedLog
      do {
        log = try input.open(options)
      } catch {
        converter.fail(error)
        continue
      }
      try converter.add(log, path)
    }
    try converter.finish()
    if converter.outcome.isFaulty { throw ExitCode(ExitStatus.failure) }
    if converter.outcome.isIncomplete { throw ExitCode(ExitStatus.incomplete) }
  }

  private func openOutput(_ inputs: borrowing FixedList<CapturedInput?>) throws -> Int32 {
    guard let w, w != "-" else {
      if isatty(STDOUT_FILENO) == 1 {
        throw UsageError("Missing -w option: a terminal can't show a binary log")
      }
      return STDOUT_FILENO
    }
    if case .success(let state) = FileState.of(path: w) {
      for index in 0..<inputs.count where inputs[index]?.isFile(state.identity) ?? false {
        throw UsageError("-w: \"\(w)\" is an input")
      }
    }
    do {
      return try SystemCalls.real.open(w, O_WRONLY | O_CREAT | O_TRUNC)
    } catch {
      throw SystemError(operation: "open", path: w, errno: error)
    }
  }
}
