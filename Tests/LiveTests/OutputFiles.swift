import TestSupport

/// The files that an output writes: the one it was told, and those that rotation made of it.
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

  /// The content of each file, unpacked if it is packed.
  func contents() throws(SupportError) -> [[UInt8]] {
    let files = try readTogether(directory.path, where: { $0.hasPrefix(name) }) { path throws(SupportError) in
      let bytes = try readFile(path)
      guard bytes.starts(with: [0x1F, 0x8B]) else { return bytes }
      // What is there can be read, even if more is being written.
      var command = Command("gzip", ["-d", "-c"])
      command.input = .file(path)
      return try ProcessRunner.run(command).output
    }
    return files.map(\.content)
  }

  /// All of it as text.
  func text() throws(SupportError) -> String {
    String(decoding: try contents().joined(), as: UTF8.self)
  }

  /// What is wrong with the files, given what was served; `nil` if each request that was answered
  /// is there once.
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
      // Through standard input: what the file is called is none of its business.
      command.input = .file(path)
      let result = try ProcessRunner.run(command)
      if result.status != 0 { failed.append("\(path): \(result.errorText)") }
    }
    return failed
  }
}
