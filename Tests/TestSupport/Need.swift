import Glibc
public import Testing

/// A requirement of a test that not every machine meets.
///
/// A test whose need isn't met is skipped, with a message that names the need. If `SPILLWAY_EXPECT_ALL` is
/// set, as by `Scripts/test`, the test fails instead, so that continuous integration can't skip tests
/// unnoticed.
public struct Need: Sendable {
  private enum Finding {
    case there
    /// Missing, though it could be installed or built.
    case missing
    /// Not available here, for a reason that installing something doesn't change.
    case notHere
  }

  private let name: String
  private let find: @Sendable () -> Finding

  private init(_ name: String, _ find: @escaping @Sendable () -> Finding) {
    self.name = name
    self.find = find
  }

  /// Whether the need is met.
  ///
  /// - Throws: If it isn't, though `SPILLWAY_EXPECT_ALL` is set and the need could be met here.
  public var isMet: Bool {
    get throws(SupportError) {
      switch find() {
      case .there: return true
      case .notHere: return false
      case .missing where getenv("SPILLWAY_EXPECT_ALL") == nil: return false
      case .missing: throw SupportError("needs \(name), which is missing, and SPILLWAY_EXPECT_ALL is set")
      }
    }
  }

  /// The reason that is given for a skipped test.
  fileprivate static func reason(_ needs: [Need]) -> String {
    "needs " + needs.map(\.name).joined(separator: ", ")
  }

  /// A program to test, Spillway or the reference.
  public static let subject = Need("a program to test, beside the tests or in SPILLWAY_BIN") {
    Subject.isThere ? .there : .missing
  }

  /// A program to test that has Spillway's own options; `SPILLWAY_BIN` may name the reference instead.
  public static let spillway = Need("spillway, beside the tests or in SPILLWAY_BIN") {
    guard let subject = Subject.current else { return .missing }
    return subject.isReference ? .notHere : .there
  }

  /// The `spillway` that was built with the tests.
  public static let builtSpillway = Need("the spillway that is built with the tests") {
    Subject.builtWithTests == nil ? .missing : .there
  }

  /// varnishd and varnishadm.
  public static let varnishd = Need("varnishd and varnishadm") {
    VarnishInstance.isInstalled ? .there : .missing
  }

  /// Varnish's own tools, of the release whose behaviour the tests expect.
  public static let reference = Need("varnishncsa and varnishlog of 7.1") {
    if Subject.reference != nil { return .there }
    return findExecutable("varnishncsa") == nil ? .missing : .notHere
  }

  /// A program in `$PATH`.
  public static func program(_ name: String) -> Need {
    Need(name) { findExecutable(name) == nil ? .missing : .there }
  }

  /// The rights of root.
  public static let root = Need("root's rights") { geteuid() == 0 ? .there : .notHere }

  /// The right to mount a file system.
  public static let mount = Need("the right to mount a file system") {
    MountedFileSystem.isPossible ? .there : .notHere
  }

  /// A user other than root: that of the tests, or one to change to.
  public static let unprivilegedUser = Need("setpriv, or not to be root") {
    geteuid() != 0 || findExecutable("setpriv") != nil ? .there : .missing
  }
}

extension Trait where Self == ConditionTrait {
  /// Requires something of the machine for a test, or for every test of a suite.
  public static func needs(_ needs: Need...) -> Self {
    .enabled(Comment(rawValue: Need.reason(needs))) {
      for need in needs where try !need.isMet { return false }
      return true
    }
  }
}
