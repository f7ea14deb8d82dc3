import ArgumentParser
import LineFormat
import LogQuery
import ShmLog
import Shipping
import Spillway

/// `spillway ncsa`: follows a log and writes a line for each request.
struct NCSACommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ncsa",
    abstract: "Write a line for each request, as varnishncsa does.",
    discussion: """
      Follows the log of a running Varnish, or reads a captured one, and writes lines to standard output \
      or to files. Every option of varnishncsa means what it means there.
      """)

  @OptionGroup(title: "Input") var input: InputOptions
  @OptionGroup(title: "Selection") var selection: SelectionOptions
  @OptionGroup(title: "Format") var format: FormatOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Process") var process: ProcessOptions

  /// What the options mean.
  ///
  /// - Parameter isVarnishncsa: whether the program was called by that name, and its old rules hold.
  func pipelineOptions(isVarnishncsa: Bool) throws -> PipelineOptions {
    let values = OptionValues()
    var options = PipelineOptions(input: .live(input.n))
    options.groupsRequests = try values.groupsRequests(selection.g)
    if process.daemonize {
      guard let file = output.w else { throw UsageError("Missing -w option") }
      if file == "-" { throw UsageError("Daemon cannot write to stdout") }
    }
    options.compatibility = try values.version(input.compat)
    (options.client, options.backend, options.esi) = (selection.c, selection.b, selection.esi)
    try setQueries(&options)
    try setFormat(&options, values)
    options.isJSON = format.j
    options.openTransactionsMax = try values.limit(selection.openLimit) ?? options.openTransactionsMax
    options.timeoutSeconds = try values.seconds(selection.timeout, option: "-T") ?? options.timeoutSeconds
    options.rateLimit = try values.rateLimit(selection.rate)
    options.groupsMax = try values.count(selection.k)
    try setInput(&options, values)
    try setOutput(&options, values)
    options.daemonizes = process.daemonize
    options.pidFile = process.pidFile.map(values.absolute)
    options.drainSeconds =
      try values.time(process.drain, option: "--drain")?.seconds ?? options.drainSeconds
    if isVarnishncsa {
      options.programName = "varnishncsa"
      options.hangup = process.daemonize && output.w != nil ? .reopen : .end
    }
    options.showsAccounting = process.stats || (input.r == nil && !isVarnishncsa)
    options.reportsOrphans = options.compatibility == nil && !isVarnishncsa
    return options
  }

  private func setQueries(_ options: inout PipelineOptions) throws(UsageError) {
    options.queries = selection.q.map { Array($0.utf8) }
    options.queriesAreCaseless = selection.caseless
    for file in selection.queryFiles {
      do {
        options.queries.append(try QueryFile.read(file))
      } catch {
        throw UsageError(error.description)
      }
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

  private func setFormat(_ options: inout PipelineOptions, _ values: OptionValues) throws {
    guard format.text.count + format.f.count <= 1 else { throw UsageError("Format already set") }
    if let name = format.format {
      guard format.text.isEmpty, format.f.isEmpty else { throw UsageError("Format already set") }
      if format.j { throw UsageError("--format: the template says how values are escaped; -j doesn't") }
      do {
        let template = try values.templates(directory: format.formatsDir).template(name)
        options.format = .template(template)
        if !selection.b, !selection.c {
          (options.client, options.backend) = (template.side.includesClient, template.side.includesBackend)
        }
      } catch {
        throw UsageError("\(error)")
      }
      return
    }
    if let text = format.text.first { options.format = .text(Array(text.utf8)) }
    if let file = format.f.first { options.format = .text(try values.formatLine(ofFile: file)) }
  }

  private func setOutput(_ options: inout PipelineOptions, _ values: OptionValues) throws {
    options.spoolBytes =
      try values.size(output.spoolMemory, option: "--spool-memory") ?? options.spoolBytes
    let fileOnly = [
      ("--rotate-size", output.rotateSize), ("--rotate-every", output.rotateEvery),
      ("--keep", output.keep), ("--gzip", output.gzip),
    ]
    guard let path = output.w, path != "-" else {
      if let (option, _) = fileOnly.first(where: { $0.1 != nil }) {
        throw UsageError("\(option) needs a file: -w FILE")
      }
      return
    }
    var file = FileOptions(path: values.absolute(path))
    file.appends = output.a
    file.rotateBytes = try values.size(output.rotateSize, option: "--rotate-size")
    file.rotateEverySeconds = try values.time(output.rotateEvery, option: "--rotate-every")?.wholeSeconds
    file.keep = try values.number(output.keep, option: "--keep", in: 0...1_000_000)
    file.gzipLevel = try values.number(output.gzip, option: "--gzip", in: 1...9)
    if let every = file.rotateEverySeconds, every < 1 {
      throw UsageError("--rotate-every: the shortest time is 1s")
    }
    options.target = .file(file)
  }
}
