import Compression
import Platform
import Glibc
@testable import Shipping
import TestSupport

/// The contents of a directory of output files at a moment.
struct OutputSnapshot {
  struct File {
    var name: String
    /// The lines that are durably in the file: whole lines, and in a compressed file those of complete
    /// members.
    var lines: [Substring]
    /// How many bytes follow these lines.
    var tornBytes: Int
    var byteCount: Int
  }

  /// The files by name, without links.
  var files: [File] = []

  /// Reads all files of a directory.
  init(_ directory: TemporaryDirectory, _ format: CompressionFormat?) throws {
    for name in directoryEntries(directory.path) {
      var status = stat()
      guard lstat(directory.file(name), &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      files.append(try Self.file(directory.file(name), name, format))
    }
  }

  private static func file(_ path: String, _ name: String, _ format: CompressionFormat?) throws -> File {
    let bytes = try readFile(path)
    let whole: Int
    var text = bytes
    if let format {
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      defer { close(descriptor) }
      switch try PartScan(format, descriptor: descriptor, system: .real) {
      case .whole: whole = bytes.count
      case .torn(let wholeBytes), .damaged(let wholeBytes): whole = wholeBytes
      case .foreign: whole = 0
      }
      var command = Command(format.rawValue, ["-dc"])
      command.input = .bytes(Array(bytes.prefix(whole)))
      text = whole == 0 ? [] : try ProcessRunner.run(command).output
    } else {
      whole = (bytes.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
      text = Array(bytes.prefix(whole))
    }
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    return File(name: name, lines: lines, tornBytes: bytes.count - whole, byteCount: bytes.count)
  }

  /// All lines, file by file.
  var lines: [Substring] { files.flatMap(\.lines) }

  /// How often each line occurs.
  var lineCounts: [Substring: Int] { lines.reduce(into: [:]) { $0[$1, default: 0] += 1 } }

  /// The files with a torn end.
  var torn: [File] { files.filter { $0.tornBytes > 0 } }
}
