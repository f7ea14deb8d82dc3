package import Glibc

/// Serves the run's status on a Unix-domain socket, on a thread of its own.
///
/// A client sends `json` or `table` in a line, or ends its sending side without a word, and gets one
/// document; `GET /… HTTP/1.x` is answered, too, for `curl --unix-socket`. A client that sends nothing, an
/// incomplete or too long request, or doesn't read its answer is dropped at its deadline, and doesn't delay
/// other clients.
///
/// The socket exists as long as this object.
package final class StatusSocket: Sendable {
  /// The limits for clients, and the permissions of the file.
  package struct Options: Sendable {
    /// The permissions of the socket's file: users who may write to it may connect.
    package var mode: mode_t = 0o660
    /// The owner of the file; this process's user and group, if nil.
    package var owner: uid_t?, group: gid_t?
    /// How many clients are served at once.
    ///
    /// When one more connects, the client that has been silent for longest is dropped.
    package var clientsMax = 16
    /// How long a client may take, from its connection to the last byte of its answer.
    package var clientNanoseconds: Int64 = 5_000_000_000

    /// The defaults.
    package init() {}
  }

  private let server: ServerThread
  /// The path of the socket's file.
  package let path: String

  /// Makes the socket and begins to answer.
  ///
  /// - Parameter document: makes the answer; called on the socket's thread, and must not wait for long.
  package init(
    path: String, options: Options = Options(),
    document: @escaping @Sendable (StatusRequest) -> [UInt8]
  ) throws(SocketFileError) {
    self.path = path
    let file = try SocketFile.make(
      path: path, mode: options.mode, owner: options.owner, group: options.group,
      backlog: Int32(options.clientsMax))
    var limits = ServerLimits()
    limits.clientsMax = options.clientsMax
    limits.requestBytesMax = StatusDialog.bytesMax
    limits.requestNanoseconds = options.clientNanoseconds
    do {
      server = try ServerThread(ListeningSocket(file), limits, StatusAnswers(document: document))
    } catch {
      throw .system(SystemError(operation: "start a thread", path: path, code: error.code))
    }
  }

  // The thread waits only for its clients and for the request to stop.
  deinit { server.end(nanoseconds: nil) }
}
