import Glibc

/// Runs a shell command for one file after the other, without anybody waiting for it.
///
/// The command gets the path as `$1` and as `SPILLWAY_FILE`. What it prints goes where the program's own
/// output goes, and its input is empty. It is in a process group of its own, so that Ctrl-C leaves it alone.
struct BackgroundCommand: ~Copyable {
  /// How many files may wait.
  static let queueMax = 1000
  private static let pollNanoseconds: Int64 = 200_000_000
  private static let retryNanoseconds: Int64 = 1_000_000_000

  private struct Child {
    let identifier: pid_t
    let path: String
    /// Readable when the child has ended; nil where the system has no such thing.
    let descriptor: Int32?
  }

  private let command: String
  private let system: SystemCalls
  private let warn: @Sendable (String) -> Void
  private var queue: ArraySlice<String> = []
  private var child: Child?
  private var lastFailure: ProcessEnd?
  private var trouble = Complaint()
  private var isOverflowing = false

  init(_ command: String, system: SystemCalls, warn: @escaping @Sendable (String) -> Void) {
    self.command = command
    self.system = system
    self.warn = warn
  }

  deinit {
    if let descriptor = child?.descriptor { try? system.close(descriptor) }
  }

  /// The process of the command that runs.
  var process: pid_t? { child?.identifier }

  /// Becomes readable when there is something to do in `tick`.
  var wakeDescriptor: Int32? { child?.descriptor }

  /// In how many nanoseconds `tick` must be called even so; nil, if not by the clock.
  var wait: Int64? {
    if let child { return child.descriptor == nil ? Self.pollNanoseconds : nil }
    return queue.isEmpty ? nil : Self.retryNanoseconds
  }

  /// Puts a file at the end of the queue.
  mutating func run(for path: String) {
    guard queue.count < Self.queueMax else {
      if !isOverflowing {
        warn("\(path): --post-rotate: not run: \(Self.queueMax) files wait for the command already")
      }
      isOverflowing = true
      return
    }
    isOverflowing = false
    queue.append(path)
    tick()
  }

  /// Takes note of a command that has ended, and starts the next one.
  mutating func tick() {
    if child != nil { reap() }
    guard child == nil, let path = queue.first else { return }
    do {
      let identifier = try system.startShell(command, file: path)
      child = Child(identifier: identifier, path: path, descriptor: system.watch(identifier))
      queue.removeFirst()
      trouble.end()
    } catch {
      trouble.say(
        SinkError(target: path, operation: "--post-rotate", errno: error), "it is tried again", warn)
    }
  }

  /// Says for which files it was not started; one that runs goes on.
  mutating func abandon() {
    if child != nil { reap() }
    guard let first = queue.first else { return }
    let others = queue.count > 1 ? " and \(queue.count - 1) more" : ""
    warn("\(first)\(others): --post-rotate: not run: the program ends before its turn")
    queue = []
  }

  private mutating func reap() {
    guard let child, system.hasEnded(child.identifier) else { return }
    let end = system.reap(child.identifier)
    if let descriptor = child.descriptor { try? system.close(descriptor) }
    self.child = nil
    // Where the parent has chosen that children leave no status, there is none to judge.
    let failure = end == .status(0) || end == .unknown ? nil : end
    if let failure, failure != lastFailure { warn("\(child.path): --post-rotate: \(failure)") }
    lastFailure = failure
  }
}
