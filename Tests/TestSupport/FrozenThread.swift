public import Glibc

/// A thread of another process that stands still, wherever it was, until it is let go on.
///
/// A signal can stop a whole process only; this is a tracer's doing. It belongs to one thread of the test: as the
/// kernel has it, no other one may let go what this one holds.
public final class FrozenThread {
  private let identifier: pid_t
  private var isHeld = true

  /// `ptrace` takes any number of arguments, which Swift can't call; it never takes other than these.
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
    // The thread that waits for the process's end may be told of this instead of this one; so the state is read.
    let isStopped = try poll(every: .milliseconds(1), until: .after(.seconds(30))) {
      () throws(SupportError) in
      try readText("/proc/\(identifier)/status").contains("State:\tt")
    }
    guard isStopped else { throw SupportError("thread \(identifier) doesn't stop") }
  }

  deinit { thaw() }

  /// Lets it go on.
  public func thaw() {
    guard isHeld else { return }
    isHeld = false
    try? Self.trace(Request.detach, identifier)
  }

  /// The threads of a process, in the order in which they were started, the first being the process itself.
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
