import TestSupport

/// The installed varnishncsa, reading a log from a file.
struct Reference {
  private static let path: String? = {
    guard let path = findExecutable("varnishncsa"),
      let version = try? ProcessRunner.run(path, "-V"),
      (version.text + version.errorText).contains("varnish-7.1.")
    else { return nil }
    return path
  }()

  /// Whether varnishncsa is installed and is of the release whose behaviour the tests expect.
  static var isThere: Bool { path != nil }

  private let directory: TemporaryDirectory

  init(_ log: SampleLog) throws(SupportError) {
    directory = try TemporaryDirectory()
    try writeFile(directory.file("log"), log.file)
  }

  func run(_ arguments: [String]) throws(SupportError) -> ProcessResult {
    guard let path = Self.path else { throw SupportError("no varnishncsa 7.1") }
    return try ProcessRunner.run(
      Command(path, ["-r", directory.file("log"), "-F", "%{Varnish:vxid}x"] + arguments))
  }
}
