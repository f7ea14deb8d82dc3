import ArgumentParser
import LogQuery
import Pipeline
import Rendering
import VarnishLog

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
  @OptionGroup(title: "Logs of 2.0 to 3.0") var old: OldTextOptions

  static let oldName = "varnishlog"
  static let oldOpenFailure = (words: "Cannot open output file", status: Int32(2))
  static func expansion(for version: VarnishVersion?) -> ArgumentExpansion {
    oldRelease(version) == nil ? .log : .logBefore40
  }

  var matching: MatchingOptions { selection.matching }

  func request(_ context: OptionContext) throws -> OutputRequest {
    var request = OutputRequest(format: .usual, output: output)
    request.set(matching, context.letters)
    request.shown = shown(request)
    request.side = OutputRequest.Side(client: selection.c, backend: selection.b)
    (request.includesESI, request.grouping) = (selection.esi, selection.g)
    request.rules = context.values.recordRules(context.letters)
    (request.isVerbose, request.isUnbuffered) = (text.v, text.u)
    return request
  }

  func shown(_ target: OutputRequest) -> OutputRequest.Shown {
    target.output.w == nil || text.text ? .groups : .records
  }

  func timeoutSeconds(_ values: OptionValues) throws(UsageError) -> Double? {
    try values.timeout(selection.matching.timeout)
  }

  func setOldOptions(_ input: inout InputConfiguration, _ context: OptionContext) throws(UsageError) {
    var selection = OldSelection()
    selection.skipCount = try context.values.skipCount(old.selection.s)
    selection.matches = try context.values.oldMatches(context.letters)
    if !old.match.isEmpty {
      guard old.o, old.match.count == 2 else {
        throw UsageError("expected -o and behind all options a tag and a regular expression")
      }
      guard input.compatibility.map({ $0 < VarnishVersion(3, 0, 0) }) ?? false else {
        throw UsageError(
          "unexpected argument: \(old.match[0]); in 3.0 it is -m \(old.match[0]):\(old.match[1])")
      }
      selection.matches.append(
        OldMatch(
          tag: old.match[0].argumentBytes, expression: old.match[1].argumentBytes,
          isCaseless: matching.caseless))
    }
    if old.oneByOne, !selection.matches.isEmpty { throw UsageError("-O and -m don't go together") }
    input.oldSelection = selection
    if old.oneByOne {
      input.showsOldGroups = false
    } else if old.o || !selection.matches.isEmpty {
      input.showsOldGroups = true
    }
  }
}
