import ArgumentParser
import LogQuery

/// `spillway log`: follows a log and shows it, or writes its records to binary files.
struct LogCommand: RunCommand {
  static let configuration = CommandConfiguration(
    commandName: "log",
    abstract: "Show the log itself, as varnishlog does, or write it to binary files.",
    discussion: """
      Follows the log of a running Varnish, or reads a captured one, and shows its transactions as text. \
      With -w it writes binary files that -r reads again. Every option of varnishlog means what it means \
      there.
      """)

  @OptionGroup(title: "Input") var input: InputOptions
  @OptionGroup(title: "Selection") var selection: GroupSelectionOptions
  @OptionGroup(title: "Format") var text: TextOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Process") var process: ProcessOptions

  static let oldName = "varnishlog"
  static let oldOpenFailure = (words: "Cannot open output file", status: Int32(2))
  static let expansion = ArgumentExpansion.log

  var matching: MatchingOptions { selection.matching }

  func request(_ context: OptionContext) throws -> OutputRequest {
    var request = try OutputRequest.blank()
    request.set(matching, context.letters)
    request.output = output
    request.shown = shown(request)
    request.side = OutputRequest.Side(client: selection.c, backend: selection.b)
    (request.includesESI, request.grouping) = (selection.esi, selection.g)
    request.rules = recordRules(context.letters)
    (request.isVerbose, request.isUnbuffered) = (text.v, text.u)
    return request
  }

  func shown(_ target: OutputRequest) -> OutputRequest.Shown {
    target.output.w == nil || text.text ? .groups : .records
  }

  func timeoutSeconds(_ values: OptionValues) throws(UsageError) -> Double? {
    try values.timeout(selection.matching.timeout)
  }

  /// The options that choose records, in their order; `-C` counts for those behind it.
  private func recordRules(_ letters: [ArgumentExpansion.Letter]) -> [RecordRule] {
    var rules: [RecordRule] = []
    var isCaseless = false
    for (letter, value) in letters {
      if letter == "C" { isCaseless = true }
      guard let kind = RecordRule.Kind(rawValue: letter), let value else { continue }
      rules.append(RecordRule(kind, value.argumentBytes, isCaseless: isCaseless))
    }
    return rules
  }
}
