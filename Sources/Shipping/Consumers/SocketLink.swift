import Glibc
import Platform
import Spool

/// A connection to a process that listens, or a socket that takes messages.
final class SocketLink: Link {
  let name: String
  private let address: SocketAddress
  private let framing: Framing?
  private let system: SystemCalls
  private var phase = Phase.none
  private var silence = Silence.none
  /// Whether the socket in the file system takes messages instead of connections.
  private var isDatagram = false
  /// Whether there has been a connection: then what is wrong with the address may pass.
  private var hasConnected = false
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

  /// What is known of a peer that has ended its sending side.
  private enum Silence {
    /// It may still send.
    case none
    /// Either it has ended nothing else, or it has closed the connection: the next piece will tell.
    case suspected
    /// That piece is on its way.
    case probing
    /// It takes what it is sent all the same.
    case confirmed
  }

  /// How long an address may take to answer.
  private static let connectNanoseconds: Int64 = 10_000_000_000
  /// How long a peer that has everything may take to close as well.
  private static let finishNanoseconds: Int64 = 1_000_000_000

  init(address: SocketAddress, framing: Framing? = nil, system: SystemCalls) {
    name = address.description
    self.address = address
    self.framing = framing
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

  /// A connection whose peer sends nothing more would always be readable.
  var wakeDescriptor: Int32? {
    if case .lookingUp = phase { return lookup?.wakeDescriptor }
    return silence == .none ? descriptor : nil
  }

  var form: EntryForm { isDatagram ? .bare : (framing ?? .newline).form }

  var doubtfulByteCountMax: Int {
    guard let descriptor else { return 0 }
    if isDatagram { return system.sendBufferByteCount(ofSocket: descriptor) }
    guard case .tcp = address else { return 0 }
    return system.peerBufferByteCountMax(ofSocket: descriptor)
  }

  // MARK: Connecting

  func begin(at now: Moment) -> LinkCondition {
    silence = .none
    switch address {
    case .unix(let path):
      if let kind = system.status(ofPath: path)?.kindUnlessSocket {
        return failure("connect", "it is a \(kind), not a socket", isFinal: true)
      }
      alternatives = [system.address(ofPath: path)]
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
        return try connect(to: next, at: now, isDatagram: isDatagram)
      } catch .wrongType where !hasConnected {
        // It takes messages, or is of a kind that nothing here speaks.
        release()
        do {
          return try connect(to: next, at: now, isDatagram: true)
        } catch let failure {
          error = failure
        }
      } catch let failure {
        error = failure
      }
    }
    var detail = error.description
    if case .unix(let path) = address { detail += RefusedPath.explanation(of: path, code: error.code) }
    return failure("connect", detail, isFinal: Errno.wrongAddresses.contains(error))
  }

  private func connect(
    to native: SystemCalls.NativeAddress, at now: Moment, isDatagram: Bool
  ) throws(Errno) -> LinkCondition {
    let descriptor = try system.makeSocket(native.family, isDatagram: isDatagram)
    phase = .connecting(descriptor, until: now.steadyNanoseconds + Self.connectNanoseconds)
    guard try system.connect(descriptor, to: native) else { return .pending(writable: descriptor) }
    if isDatagram, let framing {
      return failure(
        "connect", "it takes messages of one line each, so framing=\(framing.rawValue) has no meaning there",
        isFinal: true)
    }
    self.isDatagram = isDatagram
    return connected(descriptor)
  }

  private func connected(_ descriptor: Int32) -> LinkCondition {
    hasConnected = true
    phase = .connected(descriptor)
    return .open(descriptor)
  }

  /// The end of an attempt; the end of all, if the address can't be right.
  private func failure(_ operation: String, _ detail: String, isFinal: Bool) -> LinkCondition {
    var end = LinkEnd(reason: "\(operation): \(detail)")
    if isFinal, !hasConnected {
      end.refusal = SystemError(operation: operation, path: name, problem: detail)
    }
    return .ended(end)
  }

  // MARK: How it stands

  func condition(at now: Moment) -> LinkCondition {
    switch phase {
    case .none: return .absent
    case .lookingUp(let deadline): return useAnswer(at: now, deadline: deadline)
    case .ended(_, let end, _): return .ended(end)
    case .connecting(let descriptor, let deadline):
      do {
        if try system.connectionIsMade(descriptor) { return connected(descriptor) }
      } catch {
        return connectNext(at: now, after: error)
      }
      if now.steadyNanoseconds >= deadline { return connectNext(at: now, after: .timedOut) }
      return .pending(writable: descriptor)
    case .connected(let descriptor):
      if let end = look(descriptor) { return end }
      if silence == .probing {
        guard system.unsentByteCount(ofSocket: descriptor) == 0 else { return .pending(writable: nil) }
        silence = .confirmed
      }
      return .open(descriptor)
    case .finished(let descriptor, let deadline):
      if let end = look(descriptor) {
        if case .ended(let end) = end, end.isAbrupt { return .ended(end) }
      } else if silence == .none, now.steadyNanoseconds < deadline {
        return .pending(writable: nil)
      }
      // All bytes have arrived, and both sides have said that this was all.
      return .ended(LinkEnd(reason: "was closed"))
    }
  }

  /// Notices the connection's end; nil as long as there is none.
  private func look(_ descriptor: Int32) -> LinkCondition? {
    // What takes messages never says anything.
    if isDatagram { return nil }
    do {
      if silence == .none {
        if try system.discardReceived(descriptor) { return nil }
        silence = .suspected
      }
    } catch {
      return lost(descriptor, error)
    }
    guard let hangup = system.hangup(ofSocket: descriptor) else {
      // A peer in the file system that had closed the connection would have hung up.
      if case .unix = address { silence = .confirmed }
      return nil
    }
    // The end that came first was that of a peer that had read everything: one that hasn't resets at once.
    if silence != .confirmed { return closed(descriptor) }
    switch (address, hangup.error) {
    case (.unix, nil): return closed(descriptor)
    // Both sides have said that this was all.
    case (.tcp, nil) where isFinished: return closed(descriptor)
    case (.unix, let error?), (.tcp, let error?): return lost(descriptor, error)
    case (.tcp, nil): return lost(descriptor, .connectionReset)
    }
  }

  private var isFinished: Bool {
    if case .finished = phase { true } else { false }
  }

  private func closed(_ descriptor: Int32) -> LinkCondition {
    let end = LinkEnd(reason: "the peer has closed the connection")
    phase = .ended(descriptor, end, unread: unread(descriptor, isReset: false))
    return .ended(end)
  }

  private func lost(_ descriptor: Int32, _ error: Errno) -> LinkCondition {
    let end = LinkEnd(reason: "connection lost: \(error)", isAbrupt: true)
    phase = .ended(descriptor, end, unread: unread(descriptor, isReset: true))
    return .ended(end)
  }

  /// What the end of a connection tells about the bytes that were sent on it.
  private func unread(_ descriptor: Int32, isReset: Bool) -> Int {
    switch address {
    case .tcp: system.unsentByteCount(ofSocket: descriptor)
    // The system throws away what such a peer hasn't read, and says whether there was any.
    case .unix: isReset && !isDatagram ? .max : 0
    }
  }

  // MARK: Sending

  func send(_ bytes: UnsafeRawBufferPointer, at now: Moment) -> LinkProgress {
    guard case .connected(let descriptor) = phase, silence != .probing else {
      return silence == .probing ? .sent(0) : .broken
    }
    do {
      let count = unsafe try system.send(descriptor, bytes)
      if silence == .suspected, count > 0 { silence = .probing }
      return .sent(count)
    } catch .wouldBlock {
      return .sent(0)
    } catch .messageTooLong where isDatagram {
      return .tooLarge
    } catch .brokenPipe {
      if look(descriptor) == nil { _ = lost(descriptor, .brokenPipe) }
      return .broken
    } catch {
      // The system reports this once: a later look finds an end as if the peer had read everything.
      _ = lost(descriptor, error)
      return .broken
    }
  }

  func pieceByteCount(unread: Int) -> Int { isDatagram || silence == .suspected ? 1 : .max }

  func unreadByteCount() -> Int {
    if case .ended(_, _, let unread) = phase { return unread }
    guard let descriptor else { return .max }
    // A message is the receiver's once it is in its queue.
    if isDatagram { return 0 }
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
    if !isDatagram { try? system.endSending(descriptor) }
    phase = .finished(descriptor, until: isDatagram ? 0 : now.steadyNanoseconds + Self.finishNanoseconds)
  }

  func release() {
    if let descriptor { try? system.close(descriptor) }
    phase = .none
  }
}

extension stat {
  /// What something is that should be a socket; nil if it is one.
  fileprivate var kindUnlessSocket: String? { isSocket ? nil : FileKind.name(ofMode: st_mode) }
}
