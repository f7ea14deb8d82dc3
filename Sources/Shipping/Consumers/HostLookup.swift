import Glibc
import Platform

/// A look-up of a host's addresses, which may take long, as name servers may be slow or not answer.
///
/// It runs on a thread of its own, so that only the connection waits for it; a look-up that isn't waited for
/// any more ends by itself.
final class HostLookup: Sendable {
  typealias Answer = Result<[SystemCalls.NativeAddress], SystemCalls.LookupError>

  private struct Question: ThreadLoop {
    let host: String
    let port: UInt16
    let system: SystemCalls
    let lookup: HostLookup

    func run() {
      let answer = Answer { () throws(SystemCalls.LookupError) in
        try system.addresses(ofHost: host, port: port)
      }
      lookup.stored.withLock { $0 = answer }
      lookup.event.signal()
    }
  }

  private let event: WakeEvent
  private let stored = Guarded<Answer?>(nil)

  private init(_ event: WakeEvent) { self.event = event }

  /// Begins to ask.
  static func start(host: String, port: UInt16, system: SystemCalls) throws(Errno) -> HostLookup {
    let lookup = HostLookup(try WakeEvent(system))
    pthread_detach(
      try WorkerThread.start(Question(host: host, port: port, system: system, lookup: lookup)))
    return lookup
  }

  /// Becomes readable when there is an answer.
  var wakeDescriptor: Int32 { event.descriptor }

  /// The answer; nil if there is none yet.
  var answer: Answer? { stored.withLock { $0 } }
}
