import CShims
import Glibc
import Platform

/// The pipe from the output to the screen's thread, which owns the terminal.
///
/// Its size is the smallest that a pipe can have, so that lines wait in the spool, where the panel shows them.
struct LinePipe {
  let readEnd: Int32
  let writeEnd: Int32

  init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    guard unsafe shim_closing_pipe(&ends) == 0 else {
      throw SystemError(operation: "make a pipe", path: "standard output")
    }
    (readEnd, writeEnd) = (ends[0], ends[1])
    _ = fcntl(writeEnd, Self.setSize, Int32(4096))
  }

  /// Closes this end; the lines end when the pipeline has closed its end, too.
  func closeWriteEnd() { close(writeEnd) }

  /// `F_SETPIPE_SZ`, which Swift's Glibc module lacks.
  private static let setSize: Int32 = 1031
}
