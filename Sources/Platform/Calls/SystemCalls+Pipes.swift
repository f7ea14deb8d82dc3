import CShims
import Glibc

/// Pipes, as seen by their writer.
extension SystemCalls {
  /// Up to this many bytes written in one call arrive in a pipe as a whole or not at all.
  package static let pipeAtomicByteCount = Int(PIPE_BUF)

  /// A pipe for another process to read: only the write end, which is ours, never blocks.
  package func makePipeToReader() throws(Errno) -> (readEnd: Int32, writeEnd: Int32) {
    var ends: [Int32] = [-1, -1]
    _ = try perform(.pipe) { _ in unsafe shim_closing_pipe(&ends) }
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    return (ends[0], ends[1])
  }

  /// Checks whether a path may be opened for writing, without opening it, which a reader would notice.
  package func checkWritable(_ path: String) throws(Errno) {
    _ = try perform(.open) { _ in unsafe access(path, W_OK) }
  }

  /// How many bytes an empty pipe takes in one call.
  package func pipeCapacity(_ descriptor: Int32) -> Int {
    max(Int(shim_pipe_capacity(descriptor)), Self.pipeAtomicByteCount)
  }

  /// How many bytes are in a pipe; the largest number possible if that can't be known.
  package func unreadByteCount(ofPipe descriptor: Int32) -> Int {
    var count: Int32 = 0
    let result = try? perform(.ioctl) { _ in unsafe ioctl(descriptor, UInt(FIONREAD), &count) }
    return result == nil ? .max : Int(count)
  }

  /// Whether any process has the read end of a pipe open.
  package func hasReader(_ descriptor: Int32) -> Bool {
    var descriptors = [pollfd(fd: descriptor, events: 0, revents: 0)]
    _ = Self.poll(&descriptors, nanoseconds: 0)
    return descriptors[0].revents == 0
  }
}
