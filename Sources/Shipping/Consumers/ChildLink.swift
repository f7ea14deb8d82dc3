import Glibc
import Platform
import Spool

/// A consumer that is a shell command, reading from a pipe.
final class ChildLink: Link {
  let name: String
  private let command: String
  private let system: SystemCalls
  private var child: Child?

  private struct Child {
    let process: pid_t
    let processDescriptor: Int32?
    let capacity: Int
    /// Our end of the pipe, until it is closed to tell the child that nothing more comes.
    var writeEnd: Int32?
    /// Since when it is known that no process reads the pipe any more, while the child still lives.
    var deafSince: Int64?
    /// How the child has ended; it is reaped by then, and its number may be another process's.
    var end: ProcessEnd?
  }

  /// How long a child may live on without reading before it is asked to end, and then before it is killed.
  private static let patienceNanoseconds: Int64 = 1_000_000_000
  /// How long the child may take to end in `halt` after SIGTERM, and after SIGKILL.
  private static let haltNanoseconds: Int64 = 150_000_000
  private static let killNanoseconds: Int64 = 50_000_000
  private static let nameLengthMax = 60

  /// Errors that another attempt doesn't change: there is no shell, or it can't be given this command.
  private static let hopeless: [Errno] = [.noEntry, .accessDenied, .notExecutable, .argumentsTooLong]

  init(command: String, system: SystemCalls) {
    self.command = command
    self.system = system
    let isShort = command.count <= Self.nameLengthMax
    // On one line, even if the command has several.
    let words = command.prefix(isShort ? .max : Self.nameLengthMax).split(whereSeparator: \.isNewline)
    name = "exec '\(words.joined(separator: " "))\(isShort ? "" : "…")'"
  }

  deinit { release() }

  var wakeDescriptor: Int32? { child?.processDescriptor }

  func begin(at now: Moment) -> LinkCondition {
    do throws(Errno) {
      let (readEnd, writeEnd) = try system.makePipeToReader()
      defer { try? system.close(readEnd) }
      do throws(Errno) {
        let process = try system.startShell(command, input: readEnd)
        child = Child(
          process: process, processDescriptor: system.watch(process),
          capacity: system.pipeCapacity(writeEnd), writeEnd: writeEnd)
        return .open(writeEnd)
      } catch {
        try? system.close(writeEnd)
        throw error
      }
    } catch {
      var end = LinkEnd(reason: "start: \(error)")
      if Self.hopeless.contains(error) {
        end.refusal = SystemError(operation: "start", path: name, errno: error)
      }
      return .ended(end)
    }
  }

  func condition(at now: Moment) -> LinkCondition {
    guard let child else { return .absent }
    if system.hasEnded(child.process) {
      let end = reap()
      return .ended(LinkEnd(reason: end.description, isFailure: end != .status(0) && end != .unknown))
    }
    if let writeEnd = child.writeEnd, !system.hasReader(writeEnd) { goDeaf(now) }
    if let deafSince = self.child?.deafSince {
      let nanoseconds = now.steadyNanoseconds - deafSince
      if nanoseconds >= 2 * Self.patienceNanoseconds {
        system.signal(group: child.process, SIGKILL)
      } else if nanoseconds >= Self.patienceNanoseconds {
        system.signal(group: child.process, SIGTERM)
      }
    } else if let writeEnd = child.writeEnd {
      return .open(writeEnd)
    }
    return .pending(writable: nil)
  }

  func send(_ bytes: UnsafeRawBufferPointer, at now: Moment) -> LinkProgress {
    guard let writeEnd = child?.writeEnd else { return .broken }
    let progress = unsafe LinkProgress(writing: bytes, to: writeEnd, by: system)
    if progress == .broken { goDeaf(now) }
    return progress
  }

  /// Notes that no process reads the pipe any more; usually the child has ended, too, or is about to.
  private func goDeaf(_ now: Moment) {
    if child?.deafSince == nil { child?.deafSince = now.steadyNanoseconds }
  }

  func unreadByteCount() -> Int {
    // The pipe is closed only when everything is known to have been read.
    child?.writeEnd.map(system.unreadByteCount(ofPipe:)) ?? 0
  }

  func pieceByteCount(unread: Int) -> Int {
    unread == 0 ? child?.capacity ?? .max : SystemCalls.pipeAtomicByteCount
  }

  func finish(at now: Moment) { closePipe() }

  func halt() {
    guard let child, child.end == nil else { return }
    system.signal(group: child.process, SIGTERM)
    waitForEnd(of: child, nanoseconds: Self.haltNanoseconds)
    // Processes that the shell has started, and that don't end with it, are killed as well.
    system.signal(group: child.process, SIGKILL)
    waitForEnd(of: child, nanoseconds: Self.killNanoseconds)
    if system.hasEnded(child.process) { reap() }
  }

  func release() {
    halt()
    closePipe()
    // A child that doesn't end even when it is killed isn't waited for here.
    if let child, child.end == nil { ChildReaper.shared.adopt(child.process) }
    if let descriptor = child?.processDescriptor { try? system.close(descriptor) }
    child = nil
  }

  @discardableResult
  private func reap() -> ProcessEnd {
    guard let child else { return .unknown }
    if let end = child.end { return end }
    // Processes that the child leaves behind would go on reading entries meant for its successor.
    if let writeEnd = child.writeEnd, system.hasReader(writeEnd) {
      system.signal(group: child.process, SIGKILL)
    }
    let end = system.reap(child.process)
    self.child?.end = end
    return end
  }

  private func closePipe() {
    if let writeEnd = child?.writeEnd { try? system.close(writeEnd) }
    child?.writeEnd = nil
  }

  private func waitForEnd(of child: Child, nanoseconds: Int64) {
    let deadline = Moment.now().steadyNanoseconds + nanoseconds
    while !system.hasEnded(child.process) {
      let left = deadline - Moment.now().steadyNanoseconds
      if left <= 0 { return }
      var descriptors: [pollfd] = []
      if let descriptor = child.processDescriptor {
        descriptors.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
      }
      SystemCalls.poll(&descriptors, nanoseconds: descriptors.isEmpty ? min(left, 5_000_000) : left)
    }
  }
}
