import Glibc
import LogReading
import Pipeline
import Platform
import Rendering
import Shipping
import Transactions
import VarnishLog

/// Reads the values of options.
///
/// For options that varnishncsa has as well, the error messages are varnishncsa's.
struct OptionValues {
  /// The directory against which relative paths are resolved: the current one when the command line was read.
  private let workingDirectory = Self.currentDirectory
  /// Whether the process may change its user, or could when the command line was read.
  let isRoot = Privileges.isRoot
  /// The files that were read to interpret the options.
  let filesRead = FilesRead()

  /// The values of `-g`.
  enum GroupingName: String, CaseIterable {
    case raw, vxid, request, session
  }

  /// A grouping by its name or an unambiguous beginning of it.
  func grouping(_ text: String?) throws(UsageError) -> GroupingName {
    guard let text else { return .vxid }
    let matches = GroupingName.allCases.filter { $0.rawValue.hasPrefix(text.lowercased()) }
    guard let name = matches.first else { throw UsageError("Unknown grouping type: \(text)") }
    guard matches.count == 1 else { throw UsageError("Ambiguous grouping type: \(text)") }
    return name
  }

  /// A grouping that can be rendered as lines.
  func lineGrouping(_ text: String?) throws(UsageError) -> Grouping {
    switch try grouping(text) {
    case .vxid: return .vxid
    case .request: return .request
    case let name: throw UsageError("Invalid grouping mode: \(name.rawValue)")
    }
  }

  /// The time that a transaction may take, in seconds; errors are in varnishlog's words.
  func timeout(_ text: String?) throws(UsageError) -> Double? {
    guard let text else { return nil }
    guard let seconds = Double(trimmed(text)), seconds.isFinite else {
      throw UsageError("-T: Syntax error")
    }
    guard seconds >= 0 else { throw UsageError("-T: Range error") }
    return min(seconds, 1e9)
  }

  /// The version whose rules are asked for, by the option or by the environment.
  func versionText(_ text: String?) -> String? { text ?? InstanceName.variable("SPILLWAY_COMPAT") }

  func version(_ text: String?) throws(UsageError) -> VarnishVersion? {
    guard let text = versionText(text) else { return nil }
    guard let version = VarnishVersion(parsing: text) else {
      throw UsageError("--compat: \"\(text)\" is not a Varnish version from 2.0 to 9.0")
    }
    return version
  }

  /// The version that wrote a captured log.
  func release(_ text: String?) throws(UsageError) -> VarnishVersion? {
    guard let text else { return nil }
    guard let version = VarnishVersion(parsing: text) else {
      throw UsageError("--from: \"\(text)\" is not a Varnish version from 2.0 to 9.0")
    }
    return version
  }

  func limit(_ text: String?) throws(UsageError) -> Int? {
    guard let text else { return nil }
    guard let number = text.isEmpty ? 0 : cNumber(trimmed(text)) else {
      throw UsageError("-L: Syntax error")
    }
    guard number > 0, number <= Int(Int32.max) else { throw UsageError("-L: Range error") }
    return number
  }

  func count(_ text: String?) throws(UsageError) -> Int? {
    guard let text else { return nil }
    guard let number = cNumber(text, base: 10), number > 0 else {
      throw UsageError("-k: Invalid number '\(text)'")
    }
    return number
  }

  /// How many threads read a captured log.
  func threads(_ text: String?) throws(UsageError) -> Int? {
    guard let text else { return nil }
    guard let number = cNumber(text, base: 10), (1...Self.threadsMax).contains(number) else {
      throw UsageError("--threads: '\(text)': expected a number from 1 to \(Self.threadsMax)")
    }
    return number
  }

  private static let threadsMax = 16

  /// Reads `LIMIT[/DURATION]`, the duration being a unit with or without a number.
  func rateLimit(_ text: String?) throws(UsageError) -> RateLimit? {
    guard let text else { return nil }
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    // The limit's range is checked before the characters after it.
    let (limit, length) = cNumber(atStartOf: parts[0])
    guard limit > 0, limit <= Int(Int32.max) else { throw UsageError("-R: Range error") }
    guard length == parts[0].utf8.count else { throw UsageError("-R: Syntax error") }
    guard parts.count > 1 else { return RateLimit(limit: limit, seconds: 1) }
    // varnishncsa has room for this many bytes, and takes nothing longer as a duration.
    guard (1...Self.durationByteCountMax).contains(parts[1].utf8.count) else {
      throw UsageError("-R: Syntax error")
    }
    guard let seconds = duration(parts[1]), seconds > 0, seconds.isFinite else {
      throw UsageError("-R: Syntax error: Invalid duration")
    }
    return RateLimit(limit: limit, seconds: seconds)
  }

  /// A part of all groups: `1/10`, `10%` or `0.1`.
  func sample(_ text: String?) throws(UsageError) -> Sample? {
    guard let text else { return nil }
    guard let (part, whole) = fraction(text) else {
      throw UsageError("--sample: \"\(text)\" is not a part of the whole, like 1/10, 10% or 0.1")
    }
    guard part > 0, part <= whole else {
      throw UsageError("--sample: \"\(text)\" is not above 0 and at most 1")
    }
    return Sample(part, of: whole)
  }

  /// A fraction of two numbers, a percentage or a decimal number, exactly.
  private func fraction(_ text: String) -> (part: UInt64, whole: UInt64)? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 2 {
      guard let part = decimal(parts[0]), let whole = decimal(parts[1]), part.scale == 1, whole.scale == 1
      else { return nil }
      return whole.digits == 0 ? nil : (part.digits, whole.digits)
    }
    let isPercentage = text.hasSuffix("%")
    guard let number = decimal(isPercentage ? text.dropLast() : text[...]) else { return nil }
    return (number.digits, number.scale * (isPercentage ? 100 : 1))
  }

  /// A number of up to 15 digits, with or without a point: the number without its point, and what to divide it by.
  private func decimal(_ text: Substring) -> (digits: UInt64, scale: UInt64)? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let digits = parts.joined()
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      digits.utf8.count <= Self.durationDigitsMax, let number = UInt64(digits)
    else { return nil }
    let scale = (0..<(parts.count > 1 ? parts[1].utf8.count : 0)).reduce(UInt64(1)) { scale, _ in scale * 10 }
    return (number, scale)
  }

  private static let durationByteCountMax = 30
  private static let durationDigitsMax = 15

  private func duration(_ text: String) -> Double? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard number.prefix(while: { $0 != "." }).count <= Self.durationDigitsMax,
      // Digits beyond the maximum are ignored; a lone point is no number, so that its unit counts once.
      let count = number.isEmpty || number == "." ? 1 : Double(number.prefix(Self.durationDigitsMax + 1))
    else { return nil }
    var unit = text.dropFirst(number.count).drop(while: isBlank)
    while let last = unit.last, isBlank(last) { unit.removeLast() }
    switch unit {
    case "ms": return count / 1000
    case "s": return count
    case "m": return count * 60
    case "h": return count * 3600
    case "d": return count * 86_400
    case "w": return count * 604_800
    case "y": return count * 31_536_000
    default: return nil
    }
  }

  func seconds(_ text: String?, option: String) throws(UsageError) -> Double? {
    guard let text else { return nil }
    guard let seconds = Double(text), seconds >= 0, seconds.isFinite else {
      throw UsageError("\(option): Invalid argument: \(text)")
    }
    return seconds
  }

  /// The time to wait for an instance, in seconds; nil means no limit.
  func attachSeconds(_ text: String?) throws(UsageError) -> Double? {
    guard let text else { return 5 }
    if text.lowercased() == "off" { return nil }
    return try seconds(text, option: "-t")
  }

  func time(_ text: String?, option: String) throws(UsageError) -> TimeSpan? {
    guard let text else { return nil }
    do {
      return try TimeSpan(text)
    } catch {
      throw UsageError("\(option): \(error)")
    }
  }

  /// How long a log is watched, in seconds; 1 by default.
  func watchSeconds(_ text: String?) throws(UsageError) -> Double {
    guard text != "0" else { return 0 }
    let seconds = try time(text, option: "--watch")?.seconds ?? 1
    guard seconds <= 3600 else { throw UsageError("--watch: the longest time is 1h") }
    return seconds
  }

  func size(_ text: String?, option: String) throws(UsageError) -> Int? {
    guard let text else { return nil }
    do {
      return try ByteCount(text).bytes
    } catch {
      throw UsageError("\(option): \(error)")
    }
  }

  func number(
    _ text: String?, option: String, in range: ClosedRange<Int>
  ) throws(UsageError) -> Int? {
    guard let text else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw UsageError(
        "\(option): \"\(text)\" is not a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A path that stays the same when the process changes its directory.
  func absolute(_ path: String) -> String {
    guard !path.isEmpty, !path.hasPrefix("/"), let workingDirectory else { return path }
    return workingDirectory + "/" + path
  }

  /// A path to read from, made absolute if the process has changed its directory; the path is noted as read.
  func pathToRead(_ path: String) -> String {
    filesRead.note(absolute(path))
    return Self.currentDirectory == workingDirectory ? path : absolute(path)
  }

  private static var currentDirectory: String? {
    guard let directory = unsafe getcwd(nil, 0) else { return nil }
    defer { unsafe free(directory) }
    return unsafe String(cString: directory)
  }

  /// The templates in the given directory and in the usual ones.
  func templates(directory: String?) throws(UsageError) -> TemplateLibrary {
    if let directory, unsafe access(directory, R_OK | X_OK) != 0 {
      throw UsageError(unsafe "--formats-dir: \(directory): \(String(cString: strerror(errno)))")
    }
    var environment: [String: String] = [:]
    for name in ["XDG_CONFIG_HOME", "HOME"] { environment[name] = InstanceName.variable(name) }
    let directories = TemplateLibrary.standardDirectories(
      formatsDirectory: directory, environment: environment, executablePath: executablePath)
    for directory in directories { filesRead.note(directory + "/") }
    return TemplateLibrary(directories: directories)
  }

  /// The template with a name or at a path.
  func template(_ name: String, directory: String?) throws(UsageError) -> Template {
    let library = try templates(directory: directory)
    do {
      return try library.template(name)
    } catch {
      throw UsageError("\(error)", inSettings: .init("format", "\(error)"))
    }
  }

  private var executablePath: String? {
    guard let path = unsafe realpath("/proc/self/exe", nil) else { return nil }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }

  /// The first line of a file, up to a newline or a NUL, and whether more text follows it; as `-f` reads it.
  func formatLine(ofFile path: String) throws(UsageError) -> (line: [UInt8], hasMore: Bool) {
    let descriptor = unsafe open(pathToRead(path), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw UsageError(unsafe "Can't open format file (\(String(cString: strerror(errno))))", about: path)
    }
    defer { close(descriptor) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while text.count < 1 << 20 {
      let count = unsafe read(descriptor, &buffer, buffer.count)
      guard count >= 0 else {
        throw UsageError(
          unsafe "Can't read format from file (\(String(cString: strerror(errno))))", about: path)
      }
      if count == 0 { break }
      text += buffer[..<count]
      if buffer[..<count].contains(UInt8(ascii: "\n")) { break }
    }
    if text.isEmpty { throw UsageError("Empty format file", about: path) }
    let line = Array(text.prefix { $0 != UInt8(ascii: "\n") && $0 != 0 })
    // No further read for this: if the file is a pipe, a read could block.
    return (line, text.dropFirst(line.count).contains { $0 > 0x20 })
  }

  private func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }

  /// A text without the blanks around it, which most numbers may have.
  private func trimmed(_ text: String) -> String {
    var text = text.drop(while: isBlank)
    while let last = text.last, isBlank(last) { text.removeLast() }
    return String(text)
  }

  /// A number as C's `strtol` takes it; with base 0, hexadecimal and octal ones too.
  private func cNumber(_ text: String, base: Int32 = 0) -> Int? {
    let (number, length) = cNumber(atStartOf: text, base: base)
    return length > 0 && length == text.utf8.count ? number : nil
  }

  /// The number that a text begins with, and its length; 0 and 0 if there is none.
  ///
  /// A number that is too large is replaced by the largest one.
  private func cNumber(atStartOf text: String, base: Int32 = 0) -> (number: Int, length: Int) {
    unsafe text.withCString { start in
      var end: UnsafeMutablePointer<CChar>?
      let number = unsafe strtol(start, &end, base)
      return unsafe (number, end.map { unsafe start.distance(to: UnsafePointer($0)) } ?? 0)
    }
  }
}
