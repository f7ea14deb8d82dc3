import ArgumentParser
import LineFormat
import Spillway

/// `spillway ncsa`: follows a log and writes a line for each request.
struct NCSACommand: RunCommand {
  static let configuration = CommandConfiguration(
    commandName: "ncsa",
    abstract: "Write a line for each request, as varnishncsa does.",
    discussion: """
      Follows the log of a running Varnish, or reads a captured one, and writes lines to standard output \
      or to files. Every option of varnishncsa means what it means there.
      """)

  @OptionGroup(title: "Input") var input: InputOptions
  @OptionGroup(title: "Selection") var selection: LineSelectionOptions
  @OptionGroup(title: "Format") var format: FormatOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Process") var process: ProcessOptions

  static let oldName = "varnishncsa"
  static let oldOpenFailure = (words: "Can't open output file", status: Int32(1))
  static let expansion = ArgumentExpansion.ncsa

  var matching: MatchingOptions { selection.matching }

  func complete(
    _ options: inout PipelineOptions, _ values: OptionValues, letters: [ArgumentExpansion.Letter]
  ) throws {
    options.grouping = try values.lineGrouping(selection.g)
    (options.client, options.backend, options.esi) = (selection.c, selection.b, selection.esi)
    options.timeoutSeconds =
      try values.seconds(selection.matching.timeout, option: "-T") ?? options.timeoutSeconds
    try setFormat(&options, values)
    options.isJSON = format.j
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
}
