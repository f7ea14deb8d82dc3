import Shipping
import ArgumentParser
import LogQuery
import Pipeline
import Platform
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
  ///
  /// - Parameter letters: the options in their order, where that counts; the parser has forgotten it.
  func complete(
    _ options: inout PipelineOptions, _ values: OptionValues, letters: [ArgumentExpansion.Letter]) throws
}

extension RunCommand {
  /// What the options mean.
  ///
  /// - Parameters:
  ///   - arguments: the command line, split; the parser has forgotten the order.
  ///   - isOldName: whether the program was called by the name of its predecessor.
  func pipelineOptions(_ arguments: [String], isOldName: Bool) throws -> PipelineOptions {
    let letters = Self.expansion.letters(in: arguments)
    let values = OptionValues()
    var options = PipelineOptions(input: .live(input.n))
    options.keepsJSONBytes = isOldName
    if process.daemonize {
      guard output.hasTarget else { throw UsageError("Missing -w option") }
      if output.w == "-" { throw UsageError("Daemon cannot write to stdout") }
    }
    options.compatibility = try values.version(input.compat)
    try setQueries(&options, letters)
    try complete(&options, values, letters: letters)
    try options.setLimits(matching, values)
    try setInput(&options, values)
    try setOutput(&options, values)
    options.daemonizes = process.daemonize
    options.pidFile = process.pidFile.map(values.absolute)
    options.drainSeconds =
      try values.time(process.drain, option: "--drain")?.seconds ?? options.drainSeconds
    if isOldName {
      options.programName = Self.oldName
      options.hangup =
        process.daemonize && output.hasTarget || InheritedState.ignoresHangups ? .reopen : .end
    }
    options.showsAccounting = process.stats || (input.r == nil && !isOldName)
    options.reportsOrphans = options.compatibility == nil && !isOldName
    return options
  }

  /// Queries are put together in the order in which they and the files with them are given.
  private func setQueries(
    _ options: inout PipelineOptions, _ letters: [ArgumentExpansion.Letter]
  ) throws(UsageError) {
    options.queriesAreCaseless = matching.caseless
    do throws(QueryFileError) {
      for (letter, value) in letters {
        switch (letter, value) {
        case ("q", .some(let text)): options.queries.append(text.argumentBytes)
        case ("Q", .some(let file)): options.queries.append(try QueryFile.read(file))
        default: continue
        }
      }
    } catch {
      throw UsageError(error.description)
    }
  }

  private func setInput(_ options: inout PipelineOptions, _ values: OptionValues) throws {
    if let file = input.r {
      if input.n != nil {
        let isOld = options.compatibility.map { $0 < VarnishVersion(5, 2, 0) } ?? false
        throw UsageError("Only one of -n\(isOld ? ", -N" : "") and -r options may be used")
      }
      if file == "-", process.daemonize { throw UsageError("Daemon cannot read from stdin") }
      options.input = .file(file)
    } else {
      options.attachSeconds = try values.attachSeconds(input.t)
    }
    options.existingOnly = input.d
  }

  private func setSpool(_ options: inout PipelineOptions, _ values: OptionValues) throws {
    options.spoolBytes =
      try values.size(output.spoolMemory, option: "--spool-memory") ?? options.spoolBytes
    options.spoolDirectory = output.spoolDir.map(values.absolute)
    options.spoolDiskBytes =
      try values.size(output.spoolDisk, option: "--spool-disk") ?? options.spoolDiskBytes
    if output.spoolDisk != nil, output.spoolDir == nil {
      throw UsageError("--spool-disk needs a directory: --spool-dir DIRECTORY")
    }
    guard let text = output.overflow else { return }
    guard let overflow = PipelineOptions.Overflow(rawValue: text) else {
      throw UsageError("--overflow: \"\(text)\" is none of spill, drop and block")
    }
    switch overflow {
    case .spill where output.spoolDir == nil:
      throw UsageError("--overflow spill needs a directory: --spool-dir DIRECTORY")
    case .drop where output.spoolDir != nil, .block where output.spoolDir != nil:
      throw UsageError("--overflow \(text) doesn't go with --spool-dir")
    case .block where input.r == nil:
      throw UsageError("--overflow block: only a log in a file can wait (-r FILE)")
    default: options.overflow = overflow
    }
  }

  private func setOutput(_ options: inout PipelineOptions, _ values: OptionValues) throws {
    try setSpool(&options, values)
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
      options.target = consumer ?? .standardOutput
      return
    }
    options.target = .file(try values.file(path, output, onRestart))
  }
}
