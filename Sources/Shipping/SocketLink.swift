import Glibc
import Platform

/// A connection to somebody who listens.
final class SocketLink: Link {
  let name: String
  private let address: SocketAddress
  private let system: SystemCalls
  private var phase = Phase.none
  /// What is left to try, if this address does not answer.
  private var alternatives: ArraySlice<SystemCalls.NativeAddress> = []

  /// The look-up that goes on, be it waited for at present or not.
  private var lookup: HostLookup?

  private enum Phase {
    case none
    case lookingUp(until: Int64)
    case connecting(Int32, until: Int64)
    case connected(Int32)
    /// The peer knows that there is no more.
    case finished(Int32, until: Int64)
    /// How it ended, and how much of what was sent the peer has not taken.
    case ended(Int32, LinkEnd, unread: Int)
  }

  /// How long an address may take to answer.
  private static let connectNanoseconds: Int64 = 10_000_000_000
  /// How long a peer that has everything may take to close as well.
  private static let finishNanoseconds: Int64 = 1_000_000_000

  init(address: SocketAddress, system: SystemCalls) {
    name = address.description
    self.address = address
    self.system = system
  }

  deinit { release() }

  private var descriptor: Int32? {
    switch phase {
    case .none, .lookingUp: nil
    case .connecting(let descriptor, _), .connected(let descriptor): descriptor
    case .finished(let descriptor, _), .ended(let descriptor, _, _): descriptor
    }
  }

  var wakeDescriptor: Int32? {
    if case .lookingUp = phase { return lookup?.wakeDescriptor }
    return descriptor
  }

  func begin(at now: Moment) -> LinkCondition {
    switch address {
    case .unix(let path): alternatives = [system.address(ofPath: path)]
    case .tcp(let host, let port):
      do {
        if lookup == nil { lookup = try HostLookup.start(host: host, port: port, system: system) }
      } catch {
        return .ended(LinkEnd(reason: "look up: \(error)"))
      }
      phase = .lookingUp(until: now.steadyNanoseconds + Self.connectNanoseconds)
      return condition(at: now)
    }
    return connectNext(at: now, after: .noEntry)
  }

  /// Goes on once the addresses are known.
  private func useAnswer(at now: Moment, deadline: Int64) -> LinkCondition {
    guard let answer = lookup?.answer else {
      guard now.steadyNanoseconds >= deadline else { return .pending(writable: nil) }
      return .ended(LinkEnd(reason: "look up: no answer in \(Self.connectNanoseconds / 1_000_000_000) s"))
    }
    lookup = nil
    switch answer {
    case .success(let addresses): alternatives = addresses[...]
    case .failure(let error): return .ended(LinkEnd(reason: "look up: \(error.description)"))
    }
    return connectNext(at: now, after: .noEntry)
  }

  /// Tries the addresses that are left; `error` is what was wrong with the one before.
  private func connectNext(at now: Moment, after error: Errno) -> LinkCondition {
    var error = error
    while let next = alternatives.popFirst() {
      release()
      do {
        let descriptor = try system.makeSocket(next.family)
        let deadline = now.steadyNanoseconds + Self.connectNanoseconds
        phase = .connecting(descriptor, until: deadline)
        guard try system.connect(descriptor, to: next) else { return .pending(writable: descriptor) }
        phase = .connected(descriptor)
        return .open(descriptor)
      } catch let failure {
        error = failure
      }
    }
    return .ended(LinkEnd(reason: "connect: \(error)"))
  }

  func condition(at now: Moment) -> LinkCondition {
    switch phase {
    case .none: return .absent
    case .lookingUp(let deadline): return useAnswer(at: now, deadline: deadline)
    case .ended(_, let end, _): return .ended(end)
    case .connecting(let descriptor, let deadline):
      do {
        if try system.connectionIsMade(descriptor) {
          phase = .connected(descriptor)
          return .open(descriptor)
        }
      } catch {
        return connectNext(at: now, after: error)
      }
      if now.steadyNanoseconds >= deadline { return connectNext(at: now, after: .timedOut) }
      return .pending(writable: descriptor)
    case .connected(let descriptor):
      return look(descriptor) ?? .open(descriptor)
    case .finished(let descriptor, let deadline):
      // Whatever it is that ends a connection all of whose bytes have arrived, it did its work.
      if look(descriptor) == nil, now.steadyNanoseconds < deadline { return .pending(writable: nil) }
      return .ended(LinkEnd(reason: "was closed"))
    }
  }

  /// Notices the connection's end; nil as long as there is none.
  private func look(_ descriptor: Int32) -> LinkCondition? {
    let end: LinkEnd
    let isReset: Bool
    do {
      if try system.discardReceived(descriptor) { return nil }
      (end, isReset) = (LinkEnd(reason: "the peer has closed the connection"), false)
    } catch {
      (end, isReset) = (LinkEnd(reason: "connection lost: \(error)"), true)
    }
    phase = .ended(descriptor, end, unread: unread(descriptor, isReset: isReset))
    return .ended(end)
  }

  /// What the end of a connection tells about the bytes that were sent on it.
  private func unread(_ descriptor: Int32, isReset: Bool) -> Int {
    switch address {
    case .tcp: system.unsentByteCount(ofSocket: descriptor)
    // The system throws away what such a peer hasn't read, and says whether there was any.
    case .unix: isReset ? .max : 0
    }
  }

  func send(_ bytes: UnsafeRawBufferPointer, at now: Moment) -> LinkProgress {
    guard case .connected(let descriptor) = phase else { return .broken }
    do {
      return .sent(try system.send(descriptor, bytes))
    } catch .wouldBlock {
      return .sent(0)
    } catch {
      if look(descriptor) == nil {
        phase = .ended(
          descriptor, LinkEnd(reason: "send: \(error)"), unread: unread(descriptor, isReset: true))
      }
      return .broken
    }
  }

  func unreadByteCount() -> Int {
    if case .ended(_, _, let unread) = phase { return unread }
    guard let descriptor else { return .max }
    let count = system.unsentByteCount(ofSocket: descriptor)
    guard case .unix = address else { return count }
    // What is gone may also have been thrown away with the peer; then there is an end to be seen by now.
    if count == 0, look(descriptor) == nil { return 0 }
    if case .ended(_, _, let unread) = phase { return unread }
    return .max
  }

  func finish(at now: Moment) {
    guard case .connected(let descriptor) = phase else { return }
    // Should that fail, the connection has an end that is about to be noticed.
    try? system.endSending(descriptor)
    phase = .finished(descriptor, until: now.steadyNanoseconds + Self.finishNanoseconds)
  }

  func release() {
    if let descriptor { try? system.close(descriptor) }
    phase = .none
  }
}
