package import Glibc

/// A socket that is listened to, of the network or in the file system; one in the file system is gone with this value.
package struct ListeningSocket: ~Copyable {
  /// What connections come to.
  package let descriptor: Int32
  private let file: SocketFile?

  /// Takes over a socket of the network.
  package init(descriptor: Int32) {
    self.descriptor = descriptor
    file = nil
  }

  init(_ file: consuming SocketFile) {
    descriptor = file.descriptor
    self.file = consume file
  }

  /// Makes one in the file system.
  package static func make(path: String, mode: mode_t, backlog: Int32) throws(SocketFileError)
    -> ListeningSocket
  {
    ListeningSocket(try SocketFile.make(path: path, mode: mode, owner: nil, group: nil, backlog: backlog))
  }

  /// The port, if it is one of the network.
  package var port: UInt16? { file == nil ? SystemCalls.real.port(ofSocket: descriptor) : nil }

  deinit {
    // The other kind closes its own.
    if file == nil { close(descriptor) }
  }
}
