import CShims
import Glibc

/// The loop of a status socket: its clients, each with a deadline.
struct StatusServer: ~Copyable {
  /// One that has connected.
  private struct Client {
    let descriptor: Int32
    let deadline: Int64
    var received: [UInt8] = []
    /// What it is sent; nil as long as it hasn't asked.
    var answer: ArraySlice<UInt8>?

    var isSilent: Bool { answer == nil }
  }

  private let file: SocketFile
  private let options: StatusSocket.Options
  private let stop: Int32
  private let document: @Sendable (StatusRequest) -> [UInt8]
  /// The oldest first.
  private var clients: [Client] = []
  /// When connections are accepted again after there was no descriptor for one.
  private var acceptsFrom = Int64.min

  private static let acceptPauseNanoseconds: Int64 = 100_000_000

  init(
    _ file: consuming SocketFile, _ options: StatusSocket.Options, stop: Int32,
    document: @escaping @Sendable (StatusRequest) -> [UInt8]
  ) {
    self.file = file
    self.options = options
    self.stop = stop
    self.document = document
  }

  deinit { for client in clients { close(client.descriptor) } }

  /// Answers until it is told to stop; then connections and socket are gone.
  consuming func serve() {
    while true {
      let now = SystemClock.steadyNanoseconds
      dropLate(at: now)
      var requests = [pollfd(fd: stop, events: Int16(POLLIN), revents: 0)]
      // While all are reading their answers, others wait in the kernel's queue.
      let accepts = now >= acceptsFrom && hasRoom
      requests.append(pollfd(fd: accepts ? file.descriptor : -1, events: Int16(POLLIN), revents: 0))
      for client in clients {
        requests.append(
          pollfd(fd: client.descriptor, events: Int16(client.isSilent ? POLLIN : POLLOUT), revents: 0))
      }
      _ = unsafe poll(&requests, nfds_t(requests.count), milliseconds(from: now))
      if requests[0].revents != 0 { return }
      attend(requests[2...])
      if requests[1].revents != 0 { accept() }
    }
  }

  private var hasRoom: Bool {
    clients.count < max(1, options.clientsMax) || clients.contains(where: \.isSilent)
  }

  /// Until the first deadline, or until connections are accepted again.
  private func milliseconds(from now: Int64) -> Int32 {
    var next = clients.map(\.deadline).min()
    if now < acceptsFrom { next = min(next ?? .max, acceptsFrom) }
    guard let next else { return -1 }
    // Rounded up, lest the last fraction be spent spinning.
    return Int32(min(max(0, (next - now + 999_999) / 1_000_000), 1 << 30))
  }

  // MARK: Coming and going

  private mutating func accept() {
    let descriptor = shim_accept(file.descriptor)
    guard descriptor >= 0 else {
      // Without a descriptor to spare, the connection stays where it is, and asking at once would be in vain.
      if errno != EAGAIN, errno != EINTR, errno != ECONNABORTED {
        acceptsFrom = SystemClock.steadyNanoseconds + Self.acceptPauseNanoseconds
      }
      return
    }
    if clients.count >= max(1, options.clientsMax), let silent = clients.firstIndex(where: \.isSilent) {
      drop(silent)
    }
    clients.append(
      Client(descriptor: descriptor, deadline: SystemClock.steadyNanoseconds + options.clientNanoseconds))
  }

  private mutating func drop(_ index: Int) { close(clients.remove(at: index).descriptor) }

  private mutating func dropLate(at now: Int64) {
    for index in clients.indices.reversed() where clients[index].deadline <= now { drop(index) }
  }

  // MARK: Serving

  /// Goes on with those that are ready; what was polled is in the order of the clients.
  private mutating func attend(_ polled: ArraySlice<pollfd>) {
    for (index, request) in zip(clients.indices, polled).reversed() where request.revents != 0 {
      var client = clients[index]
      let goesOn = client.isSilent ? receive(&client) : send(&client)
      clients[index] = client
      if !goesOn { drop(index) }
    }
  }

  /// Takes what a client has sent; false if it is to be dropped.
  private func receive(_ client: inout Client) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = retryingOnInterrupt { unsafe read(client.descriptor, &buffer, buffer.count) }
    if count < 0 { return errno == EAGAIN }
    client.received += buffer[..<count]
    switch StatusDialog(client.received, hasEnded: count == 0) {
    case .incomplete: return client.received.count < StatusDialog.bytesMax
    case .mistake(let text): client.answer = Array(text.utf8)[...]
    case .request(let request, let isHTTP):
      let document = document(request)
      client.answer = ((isHTTP ? StatusDialog.header(for: document) : []) + document)[...]
    }
    client.received = []
    return send(&client)
  }

  /// Sends what there is room for; false if that was the last of it.
  private func send(_ client: inout Client) -> Bool {
    while let answer = client.answer, !answer.isEmpty {
      let count = unsafe answer.withUnsafeBytes { bytes in
        retryingOnInterrupt { unsafe Int(shim_send(client.descriptor, bytes.baseAddress, bytes.count)) }
      }
      if count < 0 { return errno == EAGAIN }
      client.answer = answer.dropFirst(count)
    }
    return false
  }
}
