import Glibc
public import Testing

/// What a test needs that not every machine has.
///
/// A test whose need isn't met is skipped, and says what it would need. Where `SPILLWAY_EXPECT_ALL` is set, as
/// `Scripts/test` does, it fails instead: what continuous integration is there to show can't vanish unseen.
public struct Need: Sendable {
  private enum Finding {
    case there
    /// Missing, though it could be had.
    case missing
    /// Not to be had here, for a reason that is nothing to repair.
    case notHere
  }

  private let name: String
  private let find: @Sendable () -> Finding

  private init(_ name: String, _ find: @escaping @Sendable () -> Finding) {
    self.name = name
    self.find = find
  }

  /// Whether it is there.
  ///
  /// - Throws: If it isn't, but is expected.
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

  /// What the trait says of a test that is skipped.
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

  /// A varnishd, and what controls it.
  public static let varnishd = Need("varnishd and varnishadm") {
    VarnishInstance.isInstalled ? .there : .missing
  }

  /// Varnish's own tools, of the release whose rules the tests are about.
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

  /// A file system of one's own to mount.
  public static let mount = Need("the right to mount a file system") {
    MountedFileSystem.isPossible ? .there : .notHere
  }

  /// A user other than root to be, or to become.
  public static let unprivilegedUser = Need("setpriv, or not to be root") {
    geteuid() != 0 || findExecutable("setpriv") != nil ? .there : .missing
  }
}

extension Trait where Self == ConditionTrait {
  /// What the test, or every test of the suite, needs.
  public static func needs(_ needs: Need...) -> Self {
    .enabled(Comment(rawValue: Need.reason(needs))) {
      for need in needs where try !need.isMet { return false }
      return true
    }
  }
}
