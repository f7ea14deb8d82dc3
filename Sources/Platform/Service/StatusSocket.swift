package import Glibc

/// Answers those who ask how a run does, at a socket in the file system, on a thread of its own.
///
/// A client sends `json` or `table` in a line, or ends what it sends without a word, and gets one document; `GET /…
/// HTTP/1.x` is answered, too, for `curl --unix-socket`. One that says nothing, says half of it, says too much or
/// doesn't read its answer is dropped at its deadline, and holds up none of the others.
///
/// The socket is there from the start to the end of this object's life, and is gone afterwards.
package final class StatusSocket: Sendable {
  /// How clients are treated.
  package struct Options: Sendable {
    /// Who may connect: those who may write to the socket's file.
    package var mode: mode_t = 0o660
    /// Whose the file is; this process's user and group, if nil.
    package var owner: uid_t?, group: gid_t?
    /// How many are served at once.
    ///
    /// When one more comes, the one that has been silent for longest is dropped.
    package var clientsMax = 16
    /// How long a client may take, from its connection to the last byte of its answer.
    package var clientNanoseconds: Int64 = 5_000_000_000

    /// What suits a run.
    package init() {}
  }

  private let server: ServerThread
  /// Where clients find it.
  package let path: String

  /// Makes the socket and begins to answer.
  ///
  /// - Parameter document: what to answer; called on the socket's thread, and must not wait for long.
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

  // The thread waits for nothing but its clients and this.
  deinit { server.end(nanoseconds: nil) }
}
