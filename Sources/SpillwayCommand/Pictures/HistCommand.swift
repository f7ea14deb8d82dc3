import ArgumentParser

/// `spillway hist`: shows how long transactions take.
struct HistCommand: PictureCommand {
  static let configuration = CommandConfiguration(
    commandName: "hist",
    abstract: "Show how long requests take, as varnishhist does.",
    discussion: """
      On a terminal the times of a live log are shown as a histogram, until q is pressed; h explains the keys. \
      Elsewhere, of captured logs, and with -1 or -j, they are printed once. Every option of varnishhist means what \
      it means there. Without -P it is the time until the first byte, the whole time, and that of backends.
      """)

  @Flag(name: .customShort("1"), help: "Print it once, of the records that are in the log by now.")
  var once = false

  @Flag(name: .short, help: "Print percentiles as JSON, once.")
  var j = false

  @Option(
    name: [.customShort("P")], parsing: .unconditional,
    help: ArgumentHelp(
      "What is measured: responsetime, reqbodytime, size, Bereqtime, Beresptime, BerespBodytime, Besize, or "
        + "[cb:]tag:[prefix]:field[:min:max].",
      valueName: "profile"))
  var profile: String?

  @Flag(name: [.customShort("E")], help: "ESI subrequests too.")
  var esi = false

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("What belongs together: vxid or request. (default: vxid)", valueName: "grouping"))
  var g: String?

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("How often it is drawn. (default: 1)", valueName: "seconds"))
  var p: String?

  @Option(
    name: [.customShort("B")], parsing: .unconditional,
    help: ArgumentHelp(
      "How fast a captured log is played: 1 as fast as it happened, 10 ten times as fast. (default: at once)",
      valueName: "factor"))
  var bend: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many threads read a captured log. (default: 1)", valueName: "number"))
  var threads: String?

  @OptionGroup(title: "Input") var input: InputOptions
  @OptionGroup(title: "Selection") var matching: MatchingOptions

  @Flag(name: [.customShort("V")], help: "Print the version.")
  var showVersion = false

  static let oldName = "varnishhist"
  static var expansion: ArgumentExpansion { .hist }
}
