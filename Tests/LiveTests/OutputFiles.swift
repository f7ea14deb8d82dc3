import TestSupport

/// The files of an output: the one under the given name, and those that rotation has made from it.
struct OutputFiles {
  private let directory: TemporaryDirectory
  private let name = "access.log"

  /// Makes a place for the files.
  init() throws(SupportError) {
    directory = try TemporaryDirectory()
  }

  /// The argument for `-w`.
  var path: String { directory.file(name) }

  /// The paths of all files.
  var paths: [String] {
    directoryEntries(directory.path).filter { $0.hasPrefix(name) }.map(directory.file)
  }

  /// The content of each file, decompressed if the file is compressed.
  func contents() throws(SupportError) -> [[UInt8]] {
    let files = try readTogether(directory.path, where: { $0.hasPrefix(name) }) { path throws(SupportError) in
      let bytes = try readFile(path)
      guard bytes.starts(with: [0x1F, 0x8B]) else { return bytes }
      // A file can be read as far as it goes, even if more is being written.
      var command = Command("gzip", ["-d", "-c"])
      command.input = .file(path)
      return try ProcessRunner.run(command).output
    }
    return files.map(\.content)
  }

  /// The content of all files as text.
  func text() throws(SupportError) -> String {
    String(decoding: try contents().joined(), as: UTF8.self)
  }

  /// The difference, in words, between the files and the requests served; `nil` if each answered request is
  /// there once.
  func discrepancy(from report: LoadReport) throws(SupportError) -> String? {
    var tally = LineTally(report.plan)
    for bytes in try contents() { tally.add(bytes) }
    return tally.discrepancy(from: report)
  }

  /// The files that are not complete gzip files.
  ///
  /// One that was just begun may be empty.
  func notPacked() throws(SupportError) -> [String] {
    var failed: [String] = []
    for path in paths where try !readFile(path).isEmpty {
      var command = Command("gzip", ["-t"])
      // Through standard input, so that gzip doesn't look at the file's name.
      command.input = .file(path)
      let result = try ProcessRunner.run(command)
      if result.status != 0 { failed.append("\(path): \(result.errorText)") }
    }
    return failed
  }
}
