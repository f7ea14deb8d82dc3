import ArgumentParser

/// Which transactions give a line.
struct LineSelectionOptions: ParsableArguments {
  @Flag(name: .short, help: "Backend requests.")
  var b = false

  @Flag(name: .short, help: "Client requests: the default, unless -b is given.")
  var c = false

  @Flag(name: [.customShort("E")], help: "ESI subrequests too.")
  var esi = false

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("What belongs together: vxid or request. (default: vxid)", valueName: "grouping"))
  var g: String?

  @OptionGroup var matching: MatchingOptions
}

/// What a line looks like.
struct FormatOptions: ParsableArguments {
  @Option(
    name: [.customShort("F")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp("The format of a line.", valueName: "format"))
  var text: [String] = []

  @Option(
    name: .short, parsing: .unconditionalSingleValue,
    help: ArgumentHelp("A file whose first line is the format.", valueName: "file"))
  var f: [String] = []

  @Flag(name: .short, help: "Escape values for JSON.")
  var j = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "A template, by name or by path; 'spillway formats' lists them. (default: combined)",
      valueName: "name"))
  var format: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("A directory to look for templates in first.", valueName: "dir"))
  var formatsDir: String?
}

extension FormatOptions {
  /// The values without any option given, made without the parser, which would take a millisecond.
  static var usual: FormatOptions {
    var options = FormatOptions()
    (options.text, options.f, options.j) = ([], [], false)
    (options.format, options.formatsDir) = (nil, nil)
    return options
  }
}
