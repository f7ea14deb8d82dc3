import ArgumentParser
import Glibc
import Platform

/// What a command has to say, as a whole.
enum StandardOutput {
  /// Writes all of it.
  ///
  /// - Throws: the exit status, once it was said why it can't be written.
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
