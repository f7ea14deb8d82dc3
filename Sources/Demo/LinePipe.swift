import CShims
import Glibc
import Platform

/// The pipe that lines come through to the one who has the terminal.
///
/// It is as small as a pipe can be: what waits should wait in the spool, where one can see it.
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

  /// Ends the lines, once the pipeline has let go of its end, too.
  func closeWriteEnd() { close(writeEnd) }

  /// `F_SETPIPE_SZ`, which Swift's module of the C library doesn't have.
  private static let setSize: Int32 = 1031
}
