import TestSupport

/// An unpacked archive of recorded logs and outputs.
struct Fixture: Sendable {
  private let directory: TemporaryDirectory

  private static let unpacked = Monitor<[String: Fixture]>([:])

  /// The archive of a name, unpacked once for all tests.
  static func named(_ name: String) throws(SupportError) -> Fixture {
    try unpacked.withLock { known throws(SupportError) in
      if let fixture = known[name] { return fixture }
      let fixture = try Fixture(unpacking: name)
      known[name] = fixture
      return fixture
    }
  }

  private init(unpacking name: String) throws(SupportError) {
    directory = try TemporaryDirectory()
    let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let archive = here.joined(separator: "/") + "/Fixtures/\(name).tar.gz"
    let result = try ProcessRunner.run("tar", "-xzf", archive, "-C", directory.path)
    guard result.status == 0 else { throw SupportError("unpack \(archive): \(result.errorText)") }
  }

  /// The path of a file in the archive.
  func path(_ name: String) -> String { directory.file(name) }

  /// The content of a file in the archive.
  func bytes(_ name: String) throws(SupportError) -> [UInt8] { try readFile(path(name)) }
}
