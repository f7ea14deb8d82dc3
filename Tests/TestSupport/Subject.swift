import Glibc

/// The program under test: the `spillway` that was built with the tests, or the program that `SPILLWAY_BIN`
/// names.
///
/// If that program is called `varnishncsa`, the tests try the harness itself against the reference.
public struct Subject: Sendable {
  /// The path of the executable.
  public let path: String

  /// The program under test, or `nil` if there is none.
  public static let current: Subject? = {
    if let named = getenv("SPILLWAY_BIN") {
      return findExecutable(String(cString: named)).map(Subject.init(path:))
    }
    return builtWithTests
  }()

  /// The `spillway` that was built with the tests, even if `SPILLWAY_BIN` names another: it has the fault points that
  /// a release doesn't have.
  public static let builtWithTests: Subject? = builtExecutable("spillway").map(Subject.init(path:))

  /// Whether there is a program to test.
  public static var isThere: Bool { current != nil }

  /// Whether the program under test has Spillway's own options.
  public static var isSpillway: Bool { current.map { !$0.isReference } ?? false }

  /// The program under test.
  ///
  /// - Throws: If there is none.
  public static func found() throws(SupportError) -> Subject {
    guard let current else {
      throw SupportError("no spillway beside the tests, and SPILLWAY_BIN names none")
    }
    return current
  }

  /// Whether it is the reference rather than Spillway.
  public var isReference: Bool { path.hasSuffix("/varnishncsa") }

  /// The command line that ships access-log lines with varnishncsa's options.
  public func ncsa(_ arguments: [String]) -> Command {
    Command(path, isReference ? arguments : ["ncsa"] + arguments)
  }

  /// The command line that shows a log with varnishlog's options.
  public func log(_ arguments: [String]) -> Command {
    isReference
      ? Command(path.replacingSuffix("ncsa", by: "log"), arguments) : Command(path, ["log"] + arguments)
  }

  /// The executable of this name that was built with the tests, or `nil` if there is none.
  ///
  /// Searches from the test bundle upwards: the build directory first, then a package's directory.
  public static func builtExecutable(_ name: String) -> String? {
    var starts = [CommandLine.arguments.first ?? ""]
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    if count > 0 {
      starts.append(
        String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    for start in starts {
      var parts = start.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      while !parts.isEmpty {
        let directory = parts.joined(separator: "/")
        let candidates = [name, ".build/debug/\(name)", ".build/release/\(name)"]
        let paths = candidates.map { "\(directory)/\($0)" }
        if let path = paths.first(where: isExecutableFile) { return path }
        parts.removeLast()
      }
    }
    return nil
  }
}

extension String {
  fileprivate func replacingSuffix(_ suffix: String, by other: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) + other : self
  }
}
