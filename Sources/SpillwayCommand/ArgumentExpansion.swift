import Compression

/// Splits a command line the way getopt does, for a parser that doesn't: `-bF%h` becomes `-b -F %h`,
/// `-wfile` becomes `-w file`.
///
/// Values are never looked at, so that `-F -x` works as it always has.
struct ArgumentExpansion {
  /// The option letters of the current reference program, as getopt takes them: with a colon after each
  /// letter that takes a value.
  let optionString: String
  /// Further letters that are accepted, in the same form: options of older versions, and Spillway's own.
  private let unlisted: String
  /// What to use instead of options that older versions had, by their letters.
  private let successors: [Successor]
  /// The letters without and with a value, as arrays: a linear search in a few letters is cheaper than
  /// building a set first.
  private let flags: [Character], valued: [Character]

  /// The options of `varnishncsa` of any version, and those that Spillway adds.
  static let ncsa = ArgumentExpansion(
    optionString: "abcCdDEF:f:g:hjk:L:n:P:Q:q:r:R:t:T:Vw:", unlisted: "N:",
    successors: ArgumentExpansion.successorsInNCSA)

  /// The options of `varnishlog` of any version, and those that Spillway adds.
  static let log = ArgumentExpansion(
    optionString: "aAbcCdDEg:hi:I:k:L:n:P:Q:q:r:R:t:T:uvVw:x:X:", unlisted: "N:",
    successors: ArgumentExpansion.successorsInLog)

  /// The options of `varnishstat` of any version, and those that Spillway adds.
  static let stat = ArgumentExpansion(optionString: "1cf:hI:jln:rt:VX:x", unlisted: "N:w:", successors: [])

  /// The options of `spillway metrics`.
  static let metrics = ArgumentExpansion(
    optionString: "bcCdDEhk:L:n:N:P:Q:q:r:R:t:T:V", successors: [])
  /// The options of `varnishtop`, and those that Spillway adds.
  static let top = ArgumentExpansion(
    optionString: "1bcCdEfg:hi:I:L:n:p:Q:q:r:t:T:x:X:V", unlisted: "jk:N:R:", successors: [])

  /// The options of `varnishhist`, which lists `-P` once for each of its profiles, and those that Spillway
  /// adds.
  static let hist = ArgumentExpansion(
    optionString: "B:Cdg:hL:n:p:P:P:P:P:P:P:P:P:Q:q:r:t:T:V", unlisted: "1Ejk:N:R:", successors: [])

  /// The options of `varnishncsa` of 2.0 to 3.0, whose `-f` has no value, and those that Spillway adds.
  static let ncsaBefore40 = ArgumentExpansion(
    optionString: "abcCdDEF:fg:hi:I:jk:L:m:n:P:Q:q:r:R:s:t:T:Vw:x:X:", successors: [],
    longForms: [("f", "--prefer-forwarded")])

  /// The options of `varnishlog` of 2.0 to 3.0, which takes a tag and an expression after its options.
  static let logBefore40 = ArgumentExpansion(
    optionString: "aAbcCdDEg:hi:I:k:L:m:n:oOP:Q:q:r:R:s:t:T:uvVw:x:X:", successors: [],
    strayOption: "--together-with")

  /// Letters that the parser knows only as a long option.
  private let longForms: [(letter: Character, option: String)]
  /// The long option that the parser gets in front of an argument that belongs to no option; nil refuses such
  /// arguments.
  private let strayOption: String?

  private init(
    optionString: String, unlisted: String = "", successors: [Successor],
    longForms: [(letter: Character, option: String)] = [], strayOption: String? = nil
  ) {
    self.optionString = optionString
    self.unlisted = unlisted
    self.successors = successors
    self.longForms = longForms
    self.strayOption = strayOption
    var (flags, valued): ([Character], [Character]) = ([], [])
    var all = (optionString + unlisted)[...]
    while let letter = all.popFirst() {
      if all.first == ":" {
        all.removeFirst()
        valued.append(letter)
      } else {
        flags.append(letter)
      }
    }
    (self.flags, self.valued) = (flags, valued)
  }

  /// The same options, for a command that takes its inputs as arguments of their own.
  var takingInputs: ArgumentExpansion {
    ArgumentExpansion(
      optionString: optionString, unlisted: unlisted, successors: successors, longForms: longForms,
      strayOption: "-r")
  }

  /// The version that `--compat` asks for in a command line that isn't split yet.
  static func compatibility(in arguments: [String]) -> String? {
    var found: String?
    for (index, argument) in arguments.enumerated() {
      if argument == "--compat", index + 1 < arguments.count { found = arguments[index + 1] }
      if argument.hasPrefix("--compat=") { found = String(argument.dropFirst("--compat=".count)) }
    }
    return found
  }

  /// An option of one letter, and its value if it takes one.
  typealias Letter = (letter: Character, value: String?)

  /// A mistake in the command line, independent of what the options mean.
  enum Mistake: Error, Equatable, CustomStringConvertible {
    case unknownOption(Character, successor: String? = nil)
    case missingValue(Character)
    case strayArgument(String)

    var description: String {
      switch self {
      case .unknownOption(let letter, let successor):
        "invalid option -- '\(letter)'" + (successor.map { "; older versions had it, today use \($0)" } ?? "")
      case .missingValue(let letter): "option requires an argument -- '\(letter)'"
      case .strayArgument(let text): "unexpected argument: \(text)"
      }
    }
  }

  /// The arguments, one option or value each.
  func callAsFunction(_ arguments: [String]) throws(Mistake) -> [String] {
    var result: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" {
        if let stray = rest.first, strayOption == nil { throw .strayArgument(stray) }
        for stray in rest { result += [strayOption ?? "", stray] }
        rest = []
      } else if let format = CompressionFormat.allCases.first(where: { argument == "--" + $0.rawValue }) {
        // The only options whose value may be left out.
        result.append("\(argument)=\(format.usualLevel)")
      } else if argument.hasPrefix("--") {
        result.append(argument)
        // Long options aren't split here: the parser checks whether a value follows.
        if Self.takesNextAsValue(argument), let value = rest.popFirst() { result.append(value) }
      } else if argument.hasPrefix("-"), argument.count > 1 {
        try expand(argument.dropFirst(), &rest, into: &result)
      } else {
        guard let strayOption else { throw .strayArgument(argument) }
        result += [strayOption, argument]
      }
    }
    return result
  }

  /// The options whose values are bytes; all others take text.
  private static let byteLetters: [Character] = ["F", "q", "i", "I", "x", "X", "m"]

  /// Refuses arguments that aren't UTF-8, except values of options that take bytes.
  func checkBytes(_ arguments: [String]) throws(UsageError) {
    let taken = letters(in: arguments).filter { Self.byteLetters.contains($0.letter) }.compactMap(\.value)
    for argument in arguments where argument.hasStrayBytes && !taken.contains(argument) {
      throw UsageError(strayBytesIn: argument)
    }
  }

  /// The options of one letter in arguments that were split, in their order, with their values.
  func letters(in arguments: [String]) -> [Letter] {
    var letters: [Letter] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument.hasPrefix("--") {
        if Self.takesNextAsValue(argument) { rest = rest.dropFirst() }
      } else if let letter = argument.dropFirst().first {
        let attached = argument.dropFirst(3)
        let value = attached.isEmpty ? valued.contains(letter) ? rest.popFirst() : nil : String(attached)
        letters.append((letter, value))
      }
    }
    return letters
  }

  private static let longFlags: Set<String> = [
    "--help", "--version", "--stats", "--prefer-forwarded", "--mark-gaps", "--help-hidden", "--sandbox",
    "--no-sandbox", "--salvage", "--merge",
  ]

  private static func takesNextAsValue(_ argument: String) -> Bool {
    !argument.contains("=") && !longFlags.contains(argument)
  }

  private func expand(
    _ letters: Substring, _ rest: inout ArraySlice<String>, into result: inout [String]
  ) throws(Mistake) {
    // Scalar by scalar: a value that begins with a combining mark isn't part of its option's letter.
    var letters = letters.unicodeScalars
    while let letter = letters.popFirst().map(Character.init) {
      if flags.contains(letter) {
        result.append(longForms.first { $0.letter == letter }?.option ?? "-\(letter)")
      } else if valued.contains(letter) {
        guard let value = letters.isEmpty ? rest.popFirst() : String(String.UnicodeScalarView(letters))
        else {
          throw .missingValue(letter)
        }
        // The parser would take a separate `--` as the end of the options.
        result += value == "--" ? ["-\(letter)=\(value)"] : ["-\(letter)", value]
        return
      } else {
        throw .unknownOption(letter, successor: successors.first { $0.letter == letter }?.use)
      }
    }
  }
}
