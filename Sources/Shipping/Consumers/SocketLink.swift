import Glibc
import Platform
import Spool

/// A connection to a listening process, or a datagram socket.
final class SocketLink: Link {
  let name: String
  private let address: SocketAddress
  private let framing: Framing?
  private let system: SystemCalls
  private var phase = Phase.none
  private var silence = Silence.none
  /// Whether the socket in the file system is a datagram socket.
  private var isDatagram = false
  /// Whether there has been a connection: then an error of the address may be temporary.
  private var hasConnected = false
  /// The addresses left to try, if this one does not answer.
  private var alternatives: ArraySlice<SystemCalls.NativeAddress> = []

  /// The look-up in progress, whether or not it is waited for at present.
  private var lookup: HostLookup?

  private enum Phase {
    case none
    case lookingUp(until: Int64)
    case connecting(Int32, until: Int64)
    case connected(Int32)
    /// The peer was told that nothing more comes.
    case finished(Int32, until: Int64)
    /// The connection has ended, and the peer has not taken this many of the bytes sent.
    case ended(Int32, LinkEnd, unread: Int)
  }

  /// The state of the peer's sending side.
  private enum Silence {
    /// The peer may still send.
    case none
    /// The peer has ended its sending side, or has closed the connection: the next piece will tell.
    case suspected
    /// That piece is on its way.
    case probing
    /// The peer takes what it is sent, so that only its sending side has ended.
    case confirmed
  }

  /// How long an address may take to answer a connection request.
  private static let connectNanoseconds: Int64 = 10_000_000_000
  /// How long a peer that was told of the end may take to close the connection.
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

  /// Nil once the peer has ended its sending side, as the socket would then always be readable.
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

  /// Continues with the addresses, once the look-up has an answer.
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

  /// Tries the remaining addresses.
  ///
  /// - Parameter error: the error of the address before.
  private func connectNext(at now: Moment, after error: Errno) -> LinkCondition {
    var error = error
    while let next = alternatives.popFirst() {
      release()
      do {
        return try connect(to: next, at: now, isDatagram: isDatagram)
      } catch .wrongType where !hasConnected {
        // It is a datagram socket, or of a kind that isn't supported here.
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

  /// The end of an attempt; attempts end for good if the address can't be right.
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
      // All bytes have arrived, and the peer has ended its sending side, or its time to do so is over.
      return .ended(LinkEnd(reason: "was closed"))
    }
  }

  /// Notices the connection's end; nil as long as it hasn't ended.
  private func look(_ descriptor: Int32) -> LinkCondition? {
    // The receiver of a datagram socket sends nothing back.
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
      // If the peer of a Unix-domain socket had closed the connection, there would be a hangup.
      if case .unix = address { silence = .confirmed }
      return nil
    }
    // The peer that ended its sending side had read everything: one that hasn't resets the connection at
    // once.
    if silence != .confirmed { return closed(descriptor) }
    switch (address, hangup.error) {
    case (.unix, nil): return closed(descriptor)
    // Both sides have ended their sending side.
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

  /// How many of the bytes sent the peer has not taken, as the end of the connection tells.
  private func unread(_ descriptor: Int32, isReset: Bool) -> Int {
    switch address {
    case .tcp: system.unsentByteCount(ofSocket: descriptor)
    // The system discards the bytes that such a peer hasn't read, and reports whether there were any.
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
      // The system reports this error once: at a later call, the end looks as if the peer had read
      // everything.
      _ = lost(descriptor, error)
      return .broken
    }
  }

  func pieceByteCount(unread: Int) -> Int { isDatagram || silence == .suspected ? 1 : .max }

  func unreadByteCount() -> Int {
    if case .ended(_, _, let unread) = phase { return unread }
    guard let descriptor else { return .max }
    // A message is with the receiver once it is in the receiver's queue.
    if isDatagram { return 0 }
    let count = system.unsentByteCount(ofSocket: descriptor)
    guard case .unix = address else { return count }
    // Bytes that are gone may have been discarded with the peer's socket; then the end is visible by now.
    if count == 0, look(descriptor) == nil { return 0 }
    if case .ended(_, _, let unread) = phase { return unread }
    return .max
  }

  func finish(at now: Moment) {
    guard case .connected(let descriptor) = phase else { return }
    // If that fails, the connection has ended, which is about to be noticed.
    if !isDatagram { try? system.endSending(descriptor) }
    phase = .finished(descriptor, until: isDatagram ? 0 : now.steadyNanoseconds + Self.finishNanoseconds)
  }

  func release() {
    if let descriptor { try? system.close(descriptor) }
    phase = .none
  }
}

extension stat {
  /// The kind of a file that should be a socket; nil if it is one.
  fileprivate var kindUnlessSocket: String? { isSocket ? nil : FileKind.name(ofMode: st_mode) }
}
