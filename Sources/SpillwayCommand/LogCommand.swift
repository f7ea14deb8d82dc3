import Rendering
import ArgumentParser
import LogQuery
import Pipeline
import Shipping
import Transactions

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

  func complete(
    _ options: inout PipelineOptions, _ values: OptionValues, letters: [ArgumentExpansion.Letter]
  ) throws {
    switch try values.grouping(selection.g) {
    case .raw: options.takesRecordsSingly = true
    case .vxid: options.grouping = .vxid
    case .request: options.grouping = .request
    case .session: options.grouping = .session
    }
    (options.client, options.backend, options.esi) = (selection.c, selection.b, selection.esi)
    options.timeoutSeconds =
      try values.timeout(selection.matching.timeout) ?? options.timeoutSeconds
    options.recordRules = recordRules(letters)
    options.isUnbuffered = text.u
    options.groupForm = output.w == nil || text.text ? .text(isVerbose: text.v) : .records
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
