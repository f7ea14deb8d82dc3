import Glibc
import Platform

/// A named pipe, which has one reader after the other.
final class FIFOLink: Link {
  let name: String
  private let system: SystemCalls
  private var descriptor: Int32?
  private var capacity = SystemCalls.pipeAtomicByteCount
  private var isFinished = false, isBroken = false

  let pauseNanosecondsMax: Int64 = 1_000_000_000

  init(path: String, system: SystemCalls) {
    name = path
    self.system = system
  }

  deinit { release() }

  /// The write end of the pipe, which only ever reports that no process reads the pipe any more.
  var wakeDescriptor: Int32? { descriptor }

  func begin(at now: Moment) -> LinkCondition {
    (isFinished, isBroken) = (false, false)
    do {
      let descriptor = try system.open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY)
      self.descriptor = descriptor
      guard try system.status(descriptor).isPipe else {
        return .ended(LinkEnd(reason: "is no longer a named pipe"))
      }
      capacity = system.pipeCapacity(descriptor)
      return .open(descriptor)
    } catch .noPeer {
      return .absent
    } catch {
      return .ended(LinkEnd(reason: "open: \(error)"))
    }
  }

  func condition(at now: Moment) -> LinkCondition {
    guard let descriptor else {
      return isFinished ? .ended(LinkEnd(reason: "was closed")) : .absent
    }
    isBroken = isBroken || !system.hasReader(descriptor)
    guard isBroken else { return .open(descriptor) }
    return .ended(LinkEnd(reason: "the reader has gone", isUsual: true))
  }

  func send(_ bytes: UnsafeRawBufferPointer, at now: Moment) -> LinkProgress {
    guard let descriptor else { return .broken }
    let progress = unsafe LinkProgress(writing: bytes, to: descriptor, by: system)
    isBroken = progress == .broken
    return progress
  }

  func unreadByteCount() -> Int { descriptor.map(system.unreadByteCount(ofPipe:)) ?? .max }

  func pieceByteCount(unread: Int) -> Int { unread == 0 ? capacity : SystemCalls.pipeAtomicByteCount }

  func finish(at now: Moment) {
    release()
    isFinished = true
  }

  /// Bytes that the last reader has left in the pipe are lost then, unless another process has the pipe open.
  func release() {
    if let descriptor { try? system.close(descriptor) }
    descriptor = nil
  }
}
