import ArgumentParser

/// Which groups are shown, and which of their records.
struct GroupSelectionOptions: ParsableArguments {
  @Flag(name: .short, help: "Backend transactions and records only.")
  var b = false

  @Flag(name: .short, help: "Client transactions and records only.")
  var c = false

  @Flag(name: [.customShort("E")], help: "ESI subrequests too.")
  var esi = false

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp(
      "How records are grouped: vxid, request, session, or raw for every record by itself. (default: vxid)",
      valueName: "grouping"))
  var g: String?

  @Option(
    name: .short, parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Show the records of these tags.", valueName: "taglist"))
  var i: [String] = []

  @Option(
    name: .short, parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Hide the records of these tags.", valueName: "taglist"))
  var x: [String] = []

  @Option(
    name: [.customShort("I")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Show records that match.", valueName: "[taglist:]regex"))
  var includeMatching: [String] = []

  @Option(
    name: [.customShort("X")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Hide records that match.", valueName: "[taglist:]regex"))
  var excludeMatching: [String] = []

  @OptionGroup var matching: MatchingOptions
}

/// How groups are shown.
struct TextOptions: ParsableArguments {
  @Flag(name: .short, help: "Show number and side in every line.")
  var v = false

  @Flag(name: [.customShort("A")], help: "Write text with -w, instead of records.")
  var text = false

  @Flag(name: .short, help: "Hand every group to the output at once.")
  var u = false
}
