public import Glibc

/// A thread of another process that is stopped wherever it was, until `thaw()`.
///
/// A signal can stop only a whole process, so this uses `ptrace`. Create and release an instance on the same
/// thread of the test: the kernel lets no other thread release what the tracing thread has stopped.
public final class FrozenThread {
  private let identifier: pid_t
  private var isHeld = true

  /// `ptrace` is variadic, which Swift can't call; all requests used here take these four arguments.
  private typealias Trace = @convention(c) (Int, Int, Int, Int) -> Int
  private enum Request {
    static let detach = 17
    static let seize = 0x4206
    static let interrupt = 0x4207
  }

  /// Stops a thread.
  public init(_ identifier: pid_t) throws(SupportError) {
    self.identifier = identifier
    try Self.trace(Request.seize, identifier)
    try Self.trace(Request.interrupt, identifier)
    // The kernel may report the stop to the thread that waits for the process's end instead of to this
    // thread; so the state is read from `/proc`.
    let isStopped = try poll(every: .milliseconds(1), until: .after(.seconds(30))) {
      () throws(SupportError) in
      try readText("/proc/\(identifier)/status").contains("State:\tt")
    }
    guard isStopped else { throw SupportError("thread \(identifier) doesn't stop") }
  }

  deinit { thaw() }

  /// Lets the thread run again.
  public func thaw() {
    guard isHeld else { return }
    isHeld = false
    try? Self.trace(Request.detach, identifier)
  }

  /// The threads of a process, sorted by identifier, so that they are as a rule in the order in which they
  /// were started, the process's first thread first.
  public static func threads(of process: pid_t) -> [pid_t] {
    directoryEntries("/proc/\(process)/task").compactMap { pid_t($0) }.sorted()
  }

  private static func trace(_ request: Int, _ identifier: pid_t) throws(SupportError) {
    guard let symbol = dlsym(nil, "ptrace") else { throw SupportError("no ptrace") }
    guard unsafeBitCast(symbol, to: Trace.self)(request, Int(identifier), 0, 0) == 0 else {
      throw SupportError("ptrace of thread \(identifier)", errno: errno)
    }
  }
}
