import ArgumentParser

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

  func request(_ context: OptionContext) throws -> OutputRequest {
    var request = try OutputRequest.blank()
    request.set(matching, context.letters)
    request.set(selection, format)
    request.output = output
    return request
  }

  func shown(_ target: OutputRequest) -> OutputRequest.Shown { .lines }

  func timeoutSeconds(_ values: OptionValues) throws(UsageError) -> Double? {
    try values.seconds(selection.matching.timeout, option: "-T")
  }
}
