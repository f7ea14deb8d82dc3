import ArgumentParser

/// `spillway stat`: shows a server's counters.
struct StatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stat",
    abstract: "Show a server's counters, as varnishstat does.",
    discussion: """
      On a terminal the counters are shown as they change, until q is pressed; h explains the keys. Elsewhere, and \
      with -1, -j, -l or -x, they are printed once. Every option of varnishstat means what it means there.
      """)

  @Flag(name: .customShort("1"), help: "Print a line for each counter. (default where there is no terminal)")
  var once = false

  @Flag(name: .short, help: "Show them on the terminal. (default where there is one)")
  var c = false

  @Flag(name: .short, help: "Print JSON.")
  var j = false

  @Flag(name: .short, help: "Print XML.")
  var x = false

  @Flag(name: .short, help: "List the counters, without their values.")
  var l = false

  @Option(
    name: [.customShort("I")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Only counters whose names match: MAIN.cache_*.", valueName: "glob"))
  var include: [String] = []

  @Option(
    name: [.customShort("X")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "No counters whose names match. Of several patterns the first that matches counts.", valueName: "glob"))
  var exclude: [String] = []

  @Option(
    name: .short, parsing: .unconditionalSingleValue,
    help: ArgumentHelp("As -I, or with ^ in front as -X.", valueName: "glob"))
  var f: [String] = []

  @Flag(name: .short, help: "Show gauges below zero as they stand, and not as 0.")
  var r = false

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("The running instance, or a copy of its directory.", valueName: "dir"))
  var n: String?

  @Option(
    name: [.customShort("N")], parsing: .unconditional,
    help: ArgumentHelp("The shared memory of a Varnish before 5.2: a file.", valueName: "file"))
  var memoryFile: String?

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp(
      "How long to wait for the instance; 'off' is for ever. (default: 5)", valueName: "seconds"))
  var t: String?

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp(
      "How often the counters are looked at, or printed again. (default: 1; printed once)",
      valueName: "seconds"))
  var w: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Follow the rules of this Varnish version, 2.0 to 9.0. (default: those of the log; or $SPILLWAY_COMPAT)",
      valueName: "version"))
  var compat: String?

  @Flag(name: [.customShort("V")], help: "Print the version.")
  var showVersion = false

  /// The predecessor's name for the command.
  static let oldName = "varnishstat"
}
