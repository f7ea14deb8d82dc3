package import Glibc

/// A listening socket, TCP or Unix-domain; a Unix-domain socket's file is removed with this value.
package struct ListeningSocket: ~Copyable {
  /// The descriptor on which connections arrive.
  package let descriptor: Int32
  private let file: SocketFile?

  /// Takes over a TCP socket.
  package init(descriptor: Int32) {
    self.descriptor = descriptor
    file = nil
  }

  init(_ file: consuming SocketFile) {
    descriptor = file.descriptor
    self.file = consume file
  }

  /// Makes a Unix-domain socket.
  package static func make(path: String, mode: mode_t, backlog: Int32) throws(SocketFileError)
    -> ListeningSocket
  {
    ListeningSocket(try SocketFile.make(path: path, mode: mode, owner: nil, group: nil, backlog: backlog))
  }

  /// The port of a TCP socket; nil for a Unix-domain socket.
  package var port: UInt16? { file == nil ? SystemCalls.real.port(ofSocket: descriptor) : nil }

  deinit {
    // A Unix-domain socket's descriptor is closed by `SocketFile`.
    if file == nil { close(descriptor) }
  }
}
