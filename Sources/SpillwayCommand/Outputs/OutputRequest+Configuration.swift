import LogQuery
import Metrics
import Pipeline
import Rendering
import Shipping
import Transactions

/// What is needed, besides an output's own options, to interpret them.
struct OutputContext {
  let values: OptionValues
  /// Whether the log is in a file, so that reading can wait for outputs.
  let canWait: Bool
  /// Whether values that make a line invalid JSON are written as released versions of varnishncsa write them.
  let keepsJSONBytes: Bool
  /// Takes warnings, of one line each, about options that may be unintended.
  let warn: (String) -> Void
  /// Takes conflicts between options: throws the error, or keeps it so that further ones are found.
  let object: (UsageError) throws(UsageError) -> Void
  /// The process's metrics, if an output can be metrics; and the instance that they are about.
  var metrics: MetricsShelf?
  var instance: InstancePlace?
}

/// Interprets an output's options; each step reads its own ones, in the order in which predecessors check them.
extension OutputRequest {
  /// Sets the output's queries.
  func setQueries(_ output: inout OutputConfiguration) throws(UsageError) {
    output.queriesAreCaseless = isCaseless
    do throws(QueryFileError) {
      for query in queries {
        switch query {
        case .text(let text): output.queries.append(text)
        case .file(let file): output.queries.append(try QueryFile.read(file))
        }
      }
    } catch {
      throw UsageError(error.description)
    }
  }

  /// Sets the output's sides and its grouping.
  func setGrouping(_ output: inout OutputConfiguration, _ values: OptionValues) throws(UsageError) {
    (output.client, output.backend, output.esi) = (side.client, side.backend, includesESI)
    output.isGroupingStated = grouping != nil
    switch shown {
    case .lines, nil: output.grouping = try values.lineGrouping(grouping)
    case .groups: try setGrouping(&output, .text(isVerbose: isVerbose), values)
    case .records: try setGrouping(&output, .records, values)
    }
  }

  private func setGrouping(
    _ output: inout OutputConfiguration, _ form: GroupRenderer.Form, _ values: OptionValues
  ) throws(UsageError) {
    output.shown = .groups(form)
    switch try values.grouping(grouping) {
    case .raw: output.shown = .records(form)
    case .vxid: output.grouping = .vxid
    case .request: output.grouping = .request
    case .session: output.grouping = .session
    }
  }

  /// Sets what the output shows of the groups.
  func setShown(_ output: inout OutputConfiguration, _ context: OutputContext) throws(UsageError) {
    output.recordRules = rules
    output.isUnbuffered = isUnbuffered
    guard metrics == nil else { return setMetrics(&output) }
    guard shown == .lines || shown == nil else { return }
    var formatting = OutputConfiguration.LineFormatting()
    formatting.keepsJSONBytes = context.keepsJSONBytes
    formatting.isJSON = format.j
    formatting.prefersForwarded = prefersForwarded
    try setFormat(&formatting, &output, context)
    output.shown = .lines(formatting)
  }

  private func setFormat(
    _ formatting: inout OutputConfiguration.LineFormatting, _ output: inout OutputConfiguration,
    _ context: OutputContext
  ) throws(UsageError) {
    guard format.text.count + format.f.count + (format.format == nil ? 0 : 1) <= 1 else {
      let key = format.format != nil ? "format" : "format-file"
      return try context.object(
        UsageError(
          "Format already set",
          inSettings: .init(
            key, "a second format", hint: "expected only one of format, format-text and format-file")))
    }
    if let name = format.format {
      if format.j {
        return try context.object(
          UsageError(
            "--format: the template says how values are escaped; -j doesn't",
            inSettings: .init("json", "the template says how values are escaped")))
      }
      let template = try context.values.template(name, directory: format.formatsDir)
      formatting.format = .template(template)
      if !side.client, !side.backend {
        (output.client, output.backend) = (template.side.includesClient, template.side.includesBackend)
      }
      return
    }
    if let text = format.text.first { formatting.format = .text(text.argumentBytes) }
    guard let file = format.f.first else { return }
    do {
      let (line, hasMore) = try context.values.formatLine(ofFile: file)
      formatting.format = .text(line)
      if hasMore { context.warn("\(file): only the first line is the format; what follows is ignored") }
    } catch {
      throw error.of("format-file")
    }
  }

  /// Sets the output's rate limit, sample and number of groups.
  func setLimits(_ output: inout OutputConfiguration, _ values: OptionValues) throws(UsageError) {
    output.rateLimit = try values.rateLimit(rate)
    output.groupsMax = try values.count(count)
    output.sample = try values.sample(sample)
  }
}

/// Interprets the options for an output's target and for its spool.
extension OutputRequest {
  /// Sets the target, and the spool's size and overflow.
  func setTarget(_ output: inout OutputConfiguration, _ context: OutputContext) throws(UsageError) {
    output.name = name
    output.marksGaps = self.output.markGaps
    if output.marksGaps, output.isBinary {
      try context.object(
        UsageError(
          "--mark-gaps needs lines: a file of records has none (-A)",
          inSettings: .init("mark-gaps", "records, which have no lines", hint: "expected lines or groups")))
    }
    try setSpool(&output, context)
    let onRestart = try context.values.restartPolicy(self.output.onRestart)
    let consumer = try context.values.consumer(self.output, onRestart)
    if let path = self.output.w, path != "-" {
      if self.output.gzip != nil, self.output.zstd != nil {
        try context.object(
          UsageError(
            "--zstd doesn't go with --gzip",
            inSettings: .init("zstd", "doesn't go with gzip", hint: "expected only one of gzip and zstd")))
      }
      let file = try context.values.file(path, self.output, onRestart)
      try objectToWhatNeedsRotation(file, context)
      output.target = .file(file)
      return
    }
    try objectToWhatNeedsAFile(isConsumer: consumer != nil, context)
    if let metrics { return try setMetricsTarget(metrics, &output, context) }
    output.target = consumer ?? .standardOutput
  }

  private func setSpool(
    _ output: inout OutputConfiguration, _ context: OutputContext
  ) throws(UsageError) {
    let (given, values) = (self.output, context.values)
    output.spoolBytes = try values.size(given.spoolMemory, option: "--spool-memory")
    output.spoolDirectory = given.spoolDir.map(values.absolute)
    output.spoolDiskBytes = try values.size(given.spoolDisk, option: "--spool-disk") ?? output.spoolDiskBytes
    if given.spoolDisk != nil, given.spoolDir == nil {
      try context.object(
        UsageError(
          "--spool-disk needs a directory: --spool-dir DIRECTORY",
          inSettings: .init("spool-disk", "needs a directory", hint: "expected spool-dir beside it")))
    }
    guard let overflow = try values.overflow(given.overflow) else { return }
    let text = overflow.rawValue
    switch overflow {
    case .spill where given.spoolDir == nil:
      try context.object(
        UsageError(
          "--overflow spill needs a directory: --spool-dir DIRECTORY",
          inSettings: .init("overflow", "\"spill\" needs a directory", hint: "expected spool-dir beside it")))
    case .drop where given.spoolDir != nil, .block where given.spoolDir != nil:
      try context.object(
        UsageError(
          "--overflow \(text) doesn't go with --spool-dir",
          inSettings: .init("overflow", "\"\(text)\" doesn't go with spool-dir")))
    case .block where !context.canWait:
      try context.object(
        UsageError(
          "--overflow block: only a log in a file can wait (-r FILE)",
          inSettings: .init("overflow", "\"block\" in a live log", hint: "only a log in a file can wait")))
    default: output.overflow = overflow
    }
  }

  /// Options that only files have, with their settings.
  private var fileOnly: [(key: String, value: String?)] {
    [
      ("rotate-size", output.rotateSize), ("rotate-every", output.rotateEvery), ("keep", output.keep),
      ("keep-for", output.keepFor), ("keep-bytes", output.keepBytes), ("symlink", output.symlink),
      ("post-rotate", output.postRotate), ("post-rotate-timeout", output.postRotateTimeout),
      ("mode", output.mode), ("owner", output.owner), ("gzip", output.gzip),
      ("zstd", output.zstd), ("sync", output.sync),
    ]
  }

  private func objectToWhatNeedsAFile(
    isConsumer: Bool, _ context: OutputContext
  ) throws(UsageError) {
    for (key, value) in fileOnly where value != nil {
      try context.object(
        UsageError(
          "--\(key) needs a file: -w FILE",
          inSettings: .init(key, "needs a file", hint: "expected file beside it")))
    }
    if output.a, isConsumer || isStandardOutput {
      try context.object(
        UsageError(
          "-a needs a file: -w FILE",
          inSettings: .init("append", "needs a file", hint: "expected file beside it")))
    }
    if !isConsumer, output.onRestart != nil {
      try context.object(
        UsageError(
          "--on-restart needs --exec, --socket or a named pipe: -w FILE",
          inSettings: .init("on-restart", "standard output has no reader that comes back")))
    }
  }

  /// Refuses options without effect: files are finished only by size, by time, or by a name that changes.
  private func objectToWhatNeedsRotation(
    _ file: FileOptions, _ context: OutputContext
  ) throws(UsageError) {
    if file.postRotateTimeoutSeconds != nil, file.postRotate == nil {
      try context.object(
        UsageError(
          "--post-rotate-timeout needs a command: --post-rotate COMMAND",
          inSettings: .init(
            "post-rotate-timeout", "needs a command", hint: "expected post-rotate beside it")))
    }
    guard !file.rotates else { return }
    let needy = ["keep", "keep-for", "keep-bytes", "post-rotate"]
    for (key, value) in fileOnly where needy.contains(key) && value != nil {
      try context.object(
        UsageError(
          "--\(key) needs files that are finished: --rotate-size, --rotate-every, or a time in the name (-w 'log-%F')",
          inSettings: .init(
            key, "needs files that are finished",
            hint: "expected rotate-size or rotate-every beside it, or a time in the file's name")))
    }
  }
}
