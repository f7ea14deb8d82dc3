import Pipeline
import Rendering

/// What the options of all commands that make lines mean.
extension Configuration {
  /// Takes over which transactions give a line, and what it looks like.
  mutating func set(
    _ selection: LineSelectionOptions, _ format: FormatOptions, _ values: OptionValues,
    isOldName: Bool = false
  ) throws {
    outputs[0].grouping = try values.lineGrouping(selection.g)
    (outputs[0].client, outputs[0].backend, outputs[0].esi) = (selection.c, selection.b, selection.esi)
    input.timeoutSeconds =
      try values.seconds(selection.matching.timeout, option: "-T") ?? input.timeoutSeconds
    var formatting = OutputConfiguration.LineFormatting()
    formatting.keepsJSONBytes = isOldName
    formatting.isJSON = format.j
    try setFormat(&formatting, selection, format, values)
    outputs[0].shown = .lines(formatting)
  }

  private mutating func setFormat(
    _ formatting: inout OutputConfiguration.LineFormatting, _ selection: LineSelectionOptions,
    _ given: FormatOptions, _ values: OptionValues
  ) throws {
    guard given.text.count + given.f.count <= 1 else { throw UsageError("Format already set") }
    if let name = given.format {
      guard given.text.isEmpty, given.f.isEmpty else { throw UsageError("Format already set") }
      if given.j { throw UsageError("--format: the template says how values are escaped; -j doesn't") }
      do {
        let template = try values.templates(directory: given.formatsDir).template(name)
        formatting.format = .template(template)
        if !selection.b, !selection.c {
          (outputs[0].client, outputs[0].backend) = (
            template.side.includesClient, template.side.includesBackend
          )
        }
      } catch {
        throw UsageError("\(error)")
      }
      return
    }
    if let text = given.text.first { formatting.format = .text(text.argumentBytes) }
    if let file = given.f.first {
      let (line, hasMore) = try values.formatLine(ofFile: file)
      formatting.format = .text(line)
      // varnishncsa says nothing of it.
      if hasMore, input.compatibility == nil, !formatting.keepsJSONBytes {
        SpillwayCommand.complain(
          "\(file): only the first line is the format; what follows is ignored", as: process.programName)
      }
    }
  }

  /// Takes over how many groups are let through, and how many may be open.
  mutating func setLimits(_ matching: MatchingOptions, _ values: OptionValues) throws(UsageError) {
    input.openTransactionsMax = try values.limit(matching.openLimit) ?? input.openTransactionsMax
    outputs[0].rateLimit = try values.rateLimit(matching.rate)
    outputs[0].groupsMax = try values.count(matching.k)
  }
}
