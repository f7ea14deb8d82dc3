import Rendering
import Pipeline

/// What the options of all commands that make lines mean.
extension PipelineOptions {
  /// Takes over which transactions give a line, and what it looks like.
  mutating func set(
    _ selection: LineSelectionOptions, _ format: FormatOptions, _ values: OptionValues
  ) throws {
    grouping = try values.lineGrouping(selection.g)
    (client, backend, esi) = (selection.c, selection.b, selection.esi)
    timeoutSeconds = try values.seconds(selection.matching.timeout, option: "-T") ?? timeoutSeconds
    try setFormat(selection, format, values)
    isJSON = format.j
  }

  private mutating func setFormat(
    _ selection: LineSelectionOptions, _ given: FormatOptions, _ values: OptionValues
  ) throws {
    guard given.text.count + given.f.count <= 1 else { throw UsageError("Format already set") }
    if let name = given.format {
      guard given.text.isEmpty, given.f.isEmpty else { throw UsageError("Format already set") }
      if given.j { throw UsageError("--format: the template says how values are escaped; -j doesn't") }
      do {
        let template = try values.templates(directory: given.formatsDir).template(name)
        format = .template(template)
        if !selection.b, !selection.c {
          (client, backend) = (template.side.includesClient, template.side.includesBackend)
        }
      } catch {
        throw UsageError("\(error)")
      }
      return
    }
    if let text = given.text.first { format = .text(text.argumentBytes) }
    if let file = given.f.first {
      let (line, hasMore) = try values.formatLine(ofFile: file)
      format = .text(line)
      // varnishncsa says nothing of it.
      if hasMore, compatibility == nil, !keepsJSONBytes {
        SpillwayCommand.complain(
          "\(file): only the first line is the format; what follows is ignored", as: programName)
      }
    }
  }

  /// Takes over how many groups are let through, and how many may be open.
  mutating func setLimits(_ matching: MatchingOptions, _ values: OptionValues) throws(UsageError) {
    openTransactionsMax = try values.limit(matching.openLimit) ?? openTransactionsMax
    rateLimit = try values.rateLimit(matching.rate)
    groupsMax = try values.count(matching.k)
  }
}
