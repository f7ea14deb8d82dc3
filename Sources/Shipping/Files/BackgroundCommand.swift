import Glibc
import Platform
import Spool

/// Runs a shell command for one file after the other, without waiting for it.
///
/// The command gets the path as `$1` and as `SPILLWAY_FILE`. What it prints goes where the program's own
/// output goes, and its input is empty. It is in a process group of its own, so that Ctrl-C leaves it alone.
final class BackgroundCommand {
  /// A finished file.
  struct Job: Equatable {
    let path: String
    let identity: FileIdentity
  }

  /// The length of the queue that is reported first; after that, each tenfold of it is.
  static let queueNotable = 5
  /// How long a command runs before that is reported: while other files wait for it, and otherwise.
  static let patienceNanoseconds: Int64 = 10_000_000_000
  static let longPatienceNanoseconds: Int64 = 60_000_000_000
  /// How long a command may take to end when it is asked to.
  static let killNanoseconds: Int64 = 5_000_000_000
  /// How long the end of a running command is waited for when the program ends.
  private static let lastNanoseconds: Int64 = 100_000_000
  private static let pollNanoseconds: Int64 = 200_000_000
  private static let retryNanoseconds: Int64 = 1_000_000_000

  private struct Child {
    let identifier: pid_t
    let job: Job
    /// A descriptor that becomes readable when the child has ended; nil where the system has none for
    /// processes.
    let descriptor: Int32?
    let startNanoseconds: Int64
    var isSaid = false
    /// The signals that were sent to the child because its time was over.
    var signals: [Int32] = []
  }

  private let command: String
  private let timeoutNanoseconds: Int64?
  private let system: SystemCalls
  private let warn: @Sendable (String) -> Void
  private var queue: ArraySlice<Job> = []
  /// The files of the queue, for a fast look-up.
  private var waiting: Set<FileIdentity> = []
  private var child: Child?
  private var ended: [(job: Job, isInterrupted: Bool)] = []
  private var failing = Trouble<ProcessEnd>()
  private var trouble = Trouble<FailedOperation>()
  /// The length of the queue that is reported next.
  private var notable = BackgroundCommand.queueNotable

  init(
    _ command: String, timeoutSeconds: Int? = nil, system: SystemCalls,
    warn: @escaping @Sendable (String) -> Void
  ) {
    self.command = command
    timeoutNanoseconds = timeoutSeconds.map { Int64(min($0, 1_000_000_000)) * 1_000_000_000 }
    self.system = system
    self.warn = warn
  }

  deinit {
    guard let child else { return }
    if let descriptor = child.descriptor { try? system.close(descriptor) }
    ChildReaper.shared.adopt(child.identifier)
  }

  /// The process of the command that runs.
  var process: pid_t? { child?.identifier }

  /// Becomes readable when there is something to do in `tick`.
  var wakeDescriptor: Int32? { child?.descriptor }

  /// Whether a file waits for the command, or has it running.
  func holds(_ identity: FileIdentity) -> Bool {
    child?.job.identity == identity || waiting.contains(identity)
  }

  /// In how many nanoseconds `tick` must be called even if the descriptor isn't readable; nil, if not by the
  /// clock.
  func wait(at now: Moment) -> Int64? {
    guard let child else { return queue.isEmpty ? nil : Self.retryNanoseconds }
    var waits: [Int64] = []
    let elapsed = now.steadyNanoseconds - child.startNanoseconds
    if child.descriptor == nil { waits.append(Self.pollNanoseconds) }
    if !child.isSaid { waits.append(patience - elapsed) }
    if let timeoutNanoseconds {
      switch child.signals.count {
      case 0: waits.append(timeoutNanoseconds - elapsed)
      case 1: waits.append(timeoutNanoseconds + Self.killNanoseconds - elapsed)
      default: break
      }
    }
    return waits.min().map { max(0, $0) }
  }

  private var patience: Int64 { queue.isEmpty ? Self.longPatienceNanoseconds : Self.patienceNanoseconds }

  /// Puts a file at the end of the queue.
  func run(for job: Job, at now: Moment) {
    guard !holds(job.identity) else { return }
    queue.append(job)
    waiting.insert(job.identity)
    tick(at: now)
    guard queue.count >= notable else { return }
    warn("\(job.path): --post-rotate: \(queue.count) files wait for the command, which is too slow or hangs")
    notable *= 10
  }

  /// Takes note of a command that has ended, and starts the next one.
  func tick(at now: Moment) {
    if child != nil { reap(now) }
    watchTime(now)
    while child == nil, let job = queue.first {
      // A file that another process has moved meanwhile belongs to that process.
      guard let status = try? system.linkStatus(ofPath: job.path), FileIdentity(status) == job.identity else {
        ended.append((job, false))
        removeFirst()
        continue
      }
      do {
        let identifier = try system.startShell(command, file: job.path)
        child = Child(
          identifier: identifier, job: job, descriptor: system.watch(identifier),
          startNanoseconds: now.steadyNanoseconds)
        removeFirst()
        trouble.end()
      } catch {
        trouble.say(
          SystemError(operation: "--post-rotate", path: job.path, errno: error), "it is tried again", warn)
        return
      }
    }
    if queue.isEmpty, notable > Self.queueNotable {
      warn("--post-rotate: no file waits for the command any more")
      notable = Self.queueNotable
    }
  }

  /// The files whose command has ended since the last call, and whether a signal that we haven't sent has
  /// ended it.
  func takeEnded() -> [(job: Job, isInterrupted: Bool)] {
    defer { ended = [] }
    return ended
  }

  /// Waits briefly for the running command, which goes on otherwise, and reports the files whose command was
  /// not started.
  /// - Returns: the file whose command goes on, and a descriptor that becomes readable at its end.
  func abandon() -> (job: Job, process: Int32)? {
    if let descriptor = child?.descriptor {
      var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
      SystemCalls.poll(&descriptors, nanoseconds: Self.lastNanoseconds)
    }
    if child != nil { reap(nil) }
    sayWhatWaits()
    guard let child, let descriptor = child.descriptor else { return nil }
    return (child.job, descriptor)
  }

  private func sayWhatWaits() {
    guard let first = queue.first else { return }
    let others = queue.count > 1 ? " and \(queue.count - 1) more" : ""
    warn("\(first.path)\(others): --post-rotate: left to the next start, as the program ends before its turn")
    queue = []
    waiting = []
  }

  private func removeFirst() {
    if let job = queue.popFirst() { waiting.remove(job.identity) }
  }

  /// Reports a command that takes long, and ends one whose time is over.
  private func watchTime(_ now: Moment) {
    guard var child else { return }
    let elapsed = now.steadyNanoseconds - child.startNanoseconds
    if let timeoutNanoseconds {
      if child.signals.isEmpty, elapsed >= timeoutNanoseconds {
        let seconds = timeoutNanoseconds / 1_000_000_000
        warn(
          "\(child.job.path): --post-rotate: is ended, as it has run for \(seconds) s (--post-rotate-timeout)"
        )
        child.isSaid = true
        child.signals.append(SIGTERM)
        system.signal(group: child.identifier, SIGTERM)
      } else if child.signals.count == 1, elapsed >= timeoutNanoseconds + Self.killNanoseconds {
        child.signals.append(SIGKILL)
        system.signal(group: child.identifier, SIGKILL)
      }
    }
    if !child.isSaid, elapsed >= patience {
      let waiting = queue.isEmpty ? "" : ", and \(queue.count) more wait for it"
      warn("\(child.job.path): --post-rotate: still runs after \(elapsed / 1_000_000_000) s\(waiting)")
      child.isSaid = true
    }
    self.child = child
  }

  /// Takes note of the command's end, if it has ended.
  ///
  /// - Parameter now: nil if it doesn't matter how long the command has taken.
  private func reap(_ now: Moment?) {
    guard let child, system.hasEnded(child.identifier) else { return }
    // Background processes of the command are not waited for, but those of a command that was to be ended are
    // killed.
    if !child.signals.isEmpty { system.signal(group: child.identifier, SIGKILL) }
    let end = system.reap(child.identifier)
    if let descriptor = child.descriptor { try? system.close(descriptor) }
    self.child = nil
    var isInterrupted = false
    if case .signal(let number) = end { isInterrupted = !child.signals.contains(number) }
    ended.append((child.job, isInterrupted))
    // That we have ended the command was reported.
    if case .signal = end, !isInterrupted { return }
    // If our parent has had the exit status of children discarded, there is none to judge.
    let failure = end == .status(0) || end == .unknown ? nil : end
    if child.isSaid, failure == nil, let now {
      let seconds = (now.steadyNanoseconds - child.startNanoseconds) / 1_000_000_000
      warn("\(child.job.path): --post-rotate: has ended after \(seconds) s")
    }
    guard let failure else {
      failing.end()
      return
    }
    if failing.begin(failure) { warn("\(child.job.path): --post-rotate: \(failure)") }
  }
}
