import ArgumentParser
import Pipeline
import Rendering
import VarnishLog

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
  @OptionGroup(title: "Logs of 2.0 to 3.0") var old: OldLineOptions

  static let oldName = "varnishncsa"
  static let oldOpenFailure = (words: "Can't open output file", status: Int32(1))
  static func expansion(for version: VarnishVersion?) -> ArgumentExpansion {
    oldRelease(version) == nil ? .ncsa : .ncsaBefore40
  }

  var matching: MatchingOptions { selection.matching }

  func request(_ context: OptionContext) throws -> OutputRequest {
    var request = OutputRequest(format: format, output: output)
    request.set(matching, context.letters)
    request.set(selection, format)
    try setOldFormat(&request, context)
    return request
  }

  func shown(_ target: OutputRequest) -> OutputRequest.Shown { .lines }

  func timeoutSeconds(_ values: OptionValues) throws(UsageError) -> Double? {
    try values.seconds(selection.matching.timeout, option: "-T")
  }

  /// Applies `-f` as 2.0 to 3.0 have it: the address in X-Forwarded-For comes first in a line.
  private func setOldFormat(_ request: inout OutputRequest, _ context: OptionContext) throws(UsageError) {
    guard old.prefersForwarded else { return }
    guard format.text.isEmpty, format.format == nil else { throw UsageError("-f and -F can not be combined") }
    let release = Self.oldRelease(try context.values.version(input.compat))
    if let release, release >= VarnishVersion(3, 0, 0) {
      request.format.text = [#"%{X-Forwarded-For}i %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i""#]
    } else {
      request.prefersForwarded = true
    }
  }

  func setOldOptions(_ input: inout InputConfiguration, _ context: OptionContext) throws(UsageError) {
    var selection = OldSelection()
    selection.skipCount = try context.values.skipCount(old.selection.s)
    selection.matches = try context.values.oldMatches(context.letters)
    selection.rules = context.values.recordRules(context.letters)
    input.oldSelection = selection
    guard let release = Self.oldRelease(input.compatibility) else { return }
    // These options are refused in the same cases as by those releases themselves.
    let refused: [Character] = release < VarnishVersion(3, 0, 0) ? ["b"] : ["b", "i", "I"]
    if let letter = context.letters.first(where: { refused.contains($0.letter) })?.letter {
      throw UsageError("-\(letter) is not valid for varnishncsa")
    }
  }
}
