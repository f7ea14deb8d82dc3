import Glibc

/// The number by which a system call says why it failed.
package struct Errno: Error, Equatable, Sendable, CustomStringConvertible {
  let code: Int32

  init(_ code: Int32) { self.code = code }

  static let interrupted = Errno(EINTR)
  static let wouldBlock = Errno(EAGAIN)
  static let brokenPipe = Errno(EPIPE)
  static let connectionReset = Errno(ECONNRESET)
  static let exists = Errno(EEXIST)
  static let noEntry = Errno(ENOENT)
  static let noPeer = Errno(ENXIO)
  static let invalid = Errno(EINVAL)
  static let unsupported = Errno(ENOSYS)
  static let notSupported = Errno(ENOTSUP)
  static let noMemory = Errno(ENOMEM)
  static let noChild = Errno(ECHILD)
  static let inProgress = Errno(EINPROGRESS)
  static let timedOut = Errno(ETIMEDOUT)
  static let nameTooLong = Errno(ENAMETOOLONG)
  static let isDirectory = Errno(EISDIR)
  static let tooManyLinks = Errno(ELOOP)
  static let noData = Errno(ENODATA)
  static let notPermitted = Errno(EPERM)
  static let otherDevice = Errno(EXDEV)

  /// The system's words for it.
  package var description: String {
    var buffer = [CChar](repeating: 0, count: 256)
    let result = strerror_r(code, &buffer, buffer.count)
    return result == 0 ? String(nulTerminated: buffer) : "error \(code)"
  }
}

extension String {
  /// The text in a C buffer up to its terminator.
  init(nulTerminated buffer: [CChar]) {
    self.init(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
