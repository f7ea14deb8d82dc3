import Glibc
import TestSupport

/// A pipe whose reader a test controls.
final class TestPipe: @unchecked Sendable {
  private(set) var writeEnd: Int32
  private(set) var readEnd: Int32

  init() {
    guard let ends = try? makePipe() else { preconditionFailure("no pipe: errno \(errno)") }
    (readEnd, writeEnd) = ends
  }

  deinit {
    closeReadEnd()
    closeWriteEnd()
  }

  func closeWriteEnd() {
    if writeEnd >= 0 { close(writeEnd) }
    writeEnd = -1
  }

  func closeReadEnd() {
    if readEnd >= 0 { close(readEnd) }
    readEnd = -1
  }

  /// Reads at most this many bytes, waiting for the first.
  func read(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = Glibc.read(readEnd, &bytes, count)
    return Array(bytes.prefix(max(0, got)))
  }

  /// Reads until this many lines have come.
  func readLines(_ count: Int) -> [String] {
    var bytes: [UInt8] = []
    var lines = 0
    while lines < count {
      let more = read(65_536)
      if more.isEmpty { break }
      lines += more.count { $0 == UInt8(ascii: "\n") }
      bytes += more
    }
    return splitLines(bytes)
  }

  /// The bytes that are in the pipe now, without waiting.
  func drain() -> [UInt8] {
    _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)
    var bytes: [UInt8] = []
    while true {
      let more = read(65_536)
      if more.isEmpty { return bytes }
      bytes += more
    }
  }
}

/// The lines of a text; the last one counts even without a newline.
func splitLines(_ bytes: [UInt8]) -> [String] {
  bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
}
