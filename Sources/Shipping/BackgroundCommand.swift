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
      let identifier = try system.spawnShell(command, argument: path)
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

extension SystemCalls {
  /// Starts `/bin/sh -c` with the signals of a program that was just started; ours are all blocked.
  fileprivate func spawnShell(_ command: String, argument: String) throws(Errno) -> pid_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
    posix_spawnattr_setflags(&attributes, Int16(flags))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)

    var environment: [String] = []
    var cursor = environ
    while let entry = cursor.pointee {
      let text = String(cString: entry)
      if !text.hasPrefix("SPILLWAY_FILE=") { environment.append(text) }
      cursor += 1
    }
    environment.append("SPILLWAY_FILE=\(argument)")
    var identifier: pid_t = 0
    _ = try perform(.spawn) { _ -> Int32 in
      // The two dashes let a command begin with one.
      let code = withCStrings(["sh", "-c", "--", command, "sh", argument]) { arguments in
        withCStrings(environment) { environment in
          posix_spawn(&identifier, "/bin/sh", &actions, &attributes, arguments, environment)
        }
      }
      errno = code
      return code == 0 ? 0 : -1
    }
    return identifier
  }
}

private func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let pointers = strings.map { strdup($0) }
  defer { for pointer in pointers { free(pointer) } }
  return body(pointers + [nil])
}
