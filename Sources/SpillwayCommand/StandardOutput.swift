import ArgumentParser
import Glibc
import Platform

/// Writes a command's whole output at once.
enum StandardOutput {
  /// Writes all bytes.
  ///
  /// - Throws: the exit status, after the error was reported.
  static func write(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        SpillwayCommand.complain("standard output: \(Errno(errno))", as: "spillway")
        throw ExitCode(ExitStatus.failure)
      }
    }
  }
}
