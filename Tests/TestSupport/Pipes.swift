import CShims
import Glibc

/// Makes a pipe whose ends aren't inherited by processes that other tests start meanwhile.
///
/// Such a process would keep an end open, and so hide the end of file from the reader, for as long as it
/// runs.
///
/// - Parameter blocks: Whether reading waits for bytes, and writing for room.
public func makePipe(blocks: Bool = true) throws(SupportError) -> (readEnd: Int32, writeEnd: Int32) {
  var ends: [Int32] = [-1, -1]
  guard shim_closing_pipe(&ends) == 0 else { throw SupportError("make a pipe", errno: errno) }
  if !blocks { for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) } }
  return (ends[0], ends[1])
}
