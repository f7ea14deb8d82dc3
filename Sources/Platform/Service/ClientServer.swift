import CShims
import Glibc

/// The loop of a server for few clients: each has a deadline, and none holds up the others.
package struct ClientServer<Dialog: ServerDialog & ~Copyable>: ~Copyable {
  /// A connected client.
  private struct Client {
    enum State {
      /// The client hasn't sent its whole request.
      case asking(ServerInquiry)
      /// The client is sent an answer.
      case reading(ArraySlice<UInt8>)
      /// The client has its answer, and should close the connection.
      case leaving
    }

    let descriptor: Int32
    var deadline: Int64
    var state = State.asking(ServerInquiry())

    /// Whether the client may be turned away when another one connects.
    var isSilent: Bool {
      if case .reading = state { false } else { true }
    }
  }

  private let socket: ListeningSocket
  private let limits: ServerLimits
  private let stop: Int32
  private let system: SystemCalls
  private var dialog: Dialog
  /// The clients, the oldest first.
  private var clients: [Client] = []
  /// When connections are accepted again after no descriptor was free for one.
  private var acceptsFrom = Int64.min

  private static var acceptPauseNanoseconds: Int64 { 100_000_000 }

  /// Makes a server for a listening socket.
  ///
  /// - Parameter stop: a descriptor that ends the loop by becoming readable.
  package init(
    _ socket: consuming ListeningSocket, _ limits: ServerLimits, stop: Int32,
    system: SystemCalls = .real, _ dialog: consuming Dialog
  ) {
    self.socket = socket
    self.limits = limits
    self.stop = stop
    self.system = system
    self.dialog = dialog
  }

  deinit { for client in clients { close(client.descriptor) } }

  /// Serves clients until it is told to stop; connections and socket are closed then.
  package consuming func serve() {
    while true {
      let now = SystemClock.steadyNanoseconds
      refuseLate(at: now)
      var requests = [pollfd(fd: stop, events: Int16(POLLIN), revents: 0)]
      // While all clients are reading their answers, new connections wait in the kernel's queue.
      let accepts = now >= acceptsFrom && hasRoom
      requests.append(pollfd(fd: accepts ? socket.descriptor : -1, events: Int16(POLLIN), revents: 0))
      for client in clients {
        requests.append(
          pollfd(fd: client.descriptor, events: Int16(client.isSilent ? POLLIN : POLLOUT), revents: 0))
      }
      _ = SystemCalls.poll(&requests, nanoseconds: nanoseconds(from: now))
      if requests[0].revents != 0 { return }
      attend(requests[2...])
      // A client that was silent may be reading by now.
      if requests[1].revents != 0, hasRoom { accept() }
    }
  }

  private var clientsMax: Int { max(1, limits.clientsMax) }

  private var hasRoom: Bool { clients.count < clientsMax || clients.contains(where: \.isSilent) }

  /// The time until the first deadline, or until connections are accepted again.
  private func nanoseconds(from now: Int64) -> Int64? {
    var next = clients.map(\.deadline).min()
    if now < acceptsFrom { next = min(next ?? .max, acceptsFrom) }
    return next.map { max(0, $0 - now) }
  }

  // MARK: Coming and going

  private mutating func accept() {
    let descriptor: Int32
    do {
      descriptor = try system.accept(socket.descriptor)
    } catch {
      // Without a free descriptor, the connection stays in the queue, and accepting it again at once would be
      // in vain.
      if error.code != EAGAIN, error.code != ECONNABORTED {
        acceptsFrom = SystemClock.steadyNanoseconds + Self.acceptPauseNanoseconds
      }
      return
    }
    if clients.count >= clientsMax, let silent = clients.firstIndex(where: \.isSilent) {
      if case .asking = clients[silent].state {
        send(dialog.answer(.tooMany)[...], clients[silent].descriptor)
      }
      drop(silent)
    }
    clients.append(
      Client(descriptor: descriptor, deadline: SystemClock.steadyNanoseconds + limits.requestNanoseconds))
  }

  private mutating func drop(_ index: Int) { close(clients.remove(at: index).descriptor) }

  private mutating func refuseLate(at now: Int64) {
    for index in clients.indices.reversed() where clients[index].deadline <= now {
      var client = clients[index]
      guard case .asking = client.state else {
        drop(index)
        continue
      }
      let goesOn = refuse(&client, .tooLate, at: now)
      clients[index] = client
      if !goesOn { drop(index) }
    }
  }

  // MARK: Serving

  /// Continues with the clients that are ready; `polled` is in the order of the clients.
  private mutating func attend(_ polled: ArraySlice<pollfd>) {
    for (index, request) in zip(clients.indices, polled).reversed() where request.revents != 0 {
      var client = clients[index]
      let goesOn: Bool
      switch client.state {
      case .asking(let inquiry): goesOn = receive(&client, inquiry)
      case .reading: goesOn = send(&client)
      case .leaving: goesOn = (try? system.discardReceived(client.descriptor)) ?? false
      }
      clients[index] = client
      if !goesOn { drop(index) }
    }
  }

  /// Receives what a client has sent; false if the client is to be dropped.
  private mutating func receive(_ client: inout Client, _ inquiry: ServerInquiry) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count: Int
    do throws(Errno) {
      count = try system.receive(client.descriptor, into: &buffer)
    } catch {
      return error.code == EAGAIN
    }
    var inquiry = inquiry
    switch inquiry.take(buffer[..<count], limits, &dialog) {
    case .incomplete:
      client.state = .asking(inquiry)
      return true
    case .answer(let answer):
      client.state = .reading(answer[...])
      // The time for the answer counts from when there is something to read.
      if let time = limits.answerNanoseconds { client.deadline = SystemClock.steadyNanoseconds + time }
      return send(&client)
    case .refused(let refusal): return refuse(&client, refusal, at: SystemClock.steadyNanoseconds)
    case .abandoned: return false
    }
  }

  private mutating func refuse(_ client: inout Client, _ refusal: ServerRefusal, at now: Int64) -> Bool {
    let answer = dialog.answer(refusal)
    guard !answer.isEmpty else { return false }
    client.state = .reading(answer[...])
    client.deadline = now + (limits.answerNanoseconds ?? limits.requestNanoseconds)
    return send(&client)
  }

  /// Sends as much as there is room for; false if that was the last of it.
  private func send(_ client: inout Client) -> Bool {
    guard case .reading(let answer) = client.state else { return true }
    guard let rest = send(answer, client.descriptor) else { return false }
    client.state = .reading(rest)
    guard rest.isEmpty else { return true }
    guard limits.lingers else { return false }
    try? system.endSending(client.descriptor)
    client.state = .leaving
    return true
  }

  /// Sends bytes and returns those that find no room; nil if the client is gone.
  @discardableResult
  private func send(_ bytes: ArraySlice<UInt8>, _ descriptor: Int32) -> ArraySlice<UInt8>? {
    var rest = bytes
    while !rest.isEmpty {
      let sent: Result<Int, Errno> = unsafe rest.withUnsafeBytes { bytes in
        do throws(Errno) {
          return unsafe .success(try system.send(descriptor, bytes))
        } catch {
          return .failure(error)
        }
      }
      switch sent {
      case .success(let count): rest = rest.dropFirst(count)
      case .failure(let error): return error.code == EAGAIN ? rest : nil
      }
    }
    return rest
  }
}
