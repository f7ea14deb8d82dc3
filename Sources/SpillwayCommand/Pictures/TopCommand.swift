import ArgumentParser

/// `spillway top`: shows the most frequent values of fields and tags.
struct TopCommand: PictureCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "Show the most frequent values of any field or tag, as varnishtop does.",
    discussion: """
      On a terminal the values of a live log are shown as they change, until q is pressed; h explains the keys. \
      Elsewhere, of captured logs, and with -1 or -j, they are printed once. Every option of varnishtop means what \
      it means there. Without -i, -I, -x, -X and --by, hosts and paths are counted.
      """)

  @Flag(name: .customShort("1"), help: "Print them once, of the records that are in the log by now.")
  var once = false

  @Flag(name: .short, help: "Print JSON, once.")
  var j = false

  @Option(
    name: .customLong("by"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Count by the values of this format of 'ncsa': '%{Host}i'. Given again: by all of them together.",
      valueName: "format"))
  var by: [String] = []

  @Flag(name: .short, help: "Only the first field of a record counts.")
  var f = false

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("Over how many seconds is counted. (default: 60)", valueName: "period"))
  var p: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many are printed. (default: 100; as varnishtop: all)", valueName: "number"))
  var limit: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How many values are kept apart at a time. (default: 8192; as varnishtop: 65536)", valueName: "number"))
  var keys: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many threads read a captured log. (default: 1)", valueName: "number"))
  var threads: String?

  @OptionGroup(title: "Input") var input: InputOptions
  @OptionGroup(title: "Selection") var selection: GroupSelectionOptions

  @Flag(name: [.customShort("V")], help: "Print the version.")
  var showVersion = false

  static let oldName = "varnishtop"
  static var expansion: ArgumentExpansion { .top }

  var matching: MatchingOptions { selection.matching }
}
