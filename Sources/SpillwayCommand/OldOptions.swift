import ArgumentParser
import LogQuery
import Pipeline
import Rendering
import VarnishLog

/// Options that varnishncsa and varnishlog of 2.0 to 3.0 share, and that have no meaning in later logs.
struct OldSelectionOptions: ParsableArguments {
  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("With --compat 2.0 to 3.0: skip this many records.", valueName: "number"))
  var s: String?

  @Option(
    name: .short, parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "With --compat 2.0 to 3.0: only requests of which a record matches. Several must all match.",
      valueName: "tag:regex"))
  var m: [String] = []
}

/// Options of varnishncsa of 2.0 to 3.0 alone.
struct OldLineOptions: ParsableArguments {
  @OptionGroup var selection: OldSelectionOptions

  @Option(
    name: .short, parsing: .unconditionalSingleValue,
    help: ArgumentHelp("With --compat 2.0 or 2.1: look at records of these tags alone.", valueName: "taglist")
  )
  var i: [String] = []

  @Option(
    name: .short, parsing: .unconditionalSingleValue,
    help: ArgumentHelp("With --compat 2.0 to 3.0: don't look at records of these tags.", valueName: "taglist")
  )
  var x: [String] = []

  @Option(
    name: [.customShort("I")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp("With --compat 2.0 or 2.1: look at records alone that match.", valueName: "regex"))
  var includeMatching: [String] = []

  @Option(
    name: [.customShort("X")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp("With --compat 2.0 to 3.0: don't look at records that match.", valueName: "regex"))
  var excludeMatching: [String] = []

  @Flag(
    name: .customLong("prefer-forwarded"),
    help: "Of 2.0 to 3.0, which call it -f: begin the line with X-Forwarded-For in place of the address.")
  var prefersForwarded = false
}

/// Options of varnishlog of 2.0 to 3.0 alone.
struct OldTextOptions: ParsableArguments {
  @OptionGroup var selection: OldSelectionOptions

  @Flag(
    name: .short, help: "With --compat 2.0 to 3.0: show a request's records together, as 3.0 does anyhow.")
  var o = false

  @Flag(name: [.customShort("O")], help: "With --compat 3.0: show records one by one.")
  var oneByOne = false

  @Option(
    name: .customLong("together-with"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Of 2.0 and 2.1, which take it behind all options: only what has a record of this tag (given first) that matches "
        + "(given second).", valueName: "tag-or-regex"))
  var match: [String] = []
}

extension RunCommand {
  /// The version whose rules are asked for if it is one before 4.0; otherwise nil.
  static func oldRelease(_ version: VarnishVersion?) -> VarnishVersion? {
    version.flatMap { $0 < VarnishVersion(4, 0, 0) ? $0 : nil }
  }
}

/// Reading the values of such options.
extension OptionValues {
  /// The number of records to skip.
  func skipCount(_ text: String?) throws(UsageError) -> Int {
    guard let text else { return 0 }
    guard let number = Int(text), number >= 0 else { throw UsageError("-s: Invalid number '\(text)'") }
    return number
  }

  /// The values of `-m` in their order; `-C` applies to those after it.
  func oldMatches(_ letters: [ArgumentExpansion.Letter]) throws(UsageError) -> [OldMatch] {
    var matches: [OldMatch] = []
    var isCaseless = false
    for (letter, value) in letters {
      if letter == "C" { isCaseless = true }
      guard letter == "m", let bytes = value?.argumentBytes else { continue }
      guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
        throw UsageError("-m: expected a tag and a regular expression, as in TxStatus:^5")
      }
      matches.append(
        OldMatch(
          tag: Array(bytes[..<colon]), expression: Array(bytes[(colon + 1)...]), isCaseless: isCaseless))
    }
    return matches
  }

  /// The options that choose records, in their order; `-C` applies to those after it.
  func recordRules(_ letters: [ArgumentExpansion.Letter]) -> [RecordRule] {
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
