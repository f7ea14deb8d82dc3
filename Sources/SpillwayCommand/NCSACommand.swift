import ArgumentParser
import Pipeline
import Shipping

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

  func complete(_ configuration: inout Configuration, _ context: OptionContext) throws {
    try configuration.set(selection, format, context.values, isOldName: context.isOldName)
  }
}
