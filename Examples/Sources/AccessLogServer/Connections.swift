import Hummingbird
import NIOCore
import SpillwayLogging
import Synchronization

/// The sessions of the connections that are open.
final class Connections: Sendable {
  private let log: AccessLog
  private let sessions = Mutex<[ObjectIdentifier: AccessLog.Session]>([:])

  init(_ log: AccessLog) { self.log = log }

  /// The session of a connection; it begins with the connection's first request.
  func session(of channel: any Channel) -> AccessLog.Session {
    let key = ObjectIdentifier(channel)
    let (session, isNew) = sessions.withLock { sessions in
      if let session = sessions[key] { return (session, false) }
      let session = log.openSession(
        client: channel.remoteAddress.flatMap(AccessLog.Address.init),
        server: channel.localAddress.flatMap(AccessLog.Address.init))
      sessions[key] = session
      return (session, true)
    }
    if isNew {
      channel.closeFuture.whenComplete { _ in
        self.sessions.withLock { $0.removeValue(forKey: key) }?.close()
      }
    }
    return session
  }
}

extension AccessLog.Address {
  /// The address of a socket; nil for a Unix-domain socket.
  fileprivate init?(_ address: SocketAddress) {
    guard let host = address.ipAddress, let port = address.port else { return nil }
    self.init(host, port: port)
  }
}
