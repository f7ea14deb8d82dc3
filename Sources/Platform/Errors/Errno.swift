import Glibc

/// The error number of a system call.
package struct Errno: Error, Equatable, Sendable, CustomStringConvertible {
  package let code: Int32

  package init(_ code: Int32) { self.code = code }

  package static let interrupted = Errno(EINTR)
  package static let wouldBlock = Errno(EAGAIN)
  package static let brokenPipe = Errno(EPIPE)
  package static let connectionReset = Errno(ECONNRESET)
  package static let exists = Errno(EEXIST)
  package static let noEntry = Errno(ENOENT)
  package static let noPeer = Errno(ENXIO)
  package static let invalid = Errno(EINVAL)
  package static let unsupported = Errno(ENOSYS)
  package static let notSupported = Errno(ENOTSUP)
  package static let noMemory = Errno(ENOMEM)
  package static let noChild = Errno(ECHILD)
  package static let inProgress = Errno(EINPROGRESS)
  package static let timedOut = Errno(ETIMEDOUT)
  package static let nameTooLong = Errno(ENAMETOOLONG)
  package static let messageTooLong = Errno(EMSGSIZE)
  package static let wrongType = Errno(EPROTOTYPE)
  package static let argumentsTooLong = Errno(E2BIG)
  package static let accessDenied = Errno(EACCES)
  package static let notExecutable = Errno(ENOEXEC)
  package static let isDirectory = Errno(EISDIR)
  package static let tooManyLinks = Errno(ELOOP)
  package static let noData = Errno(ENODATA)
  package static let notPermitted = Errno(EPERM)
  package static let otherDevice = Errno(EXDEV)

  /// Errors of a connection that no further attempt changes: the address itself is wrong.
  package static let wrongAddresses = [
    EPROTOTYPE, ENOTSOCK, ENAMETOOLONG, ELOOP, ENOTDIR, EAFNOSUPPORT, EINVAL,
  ].map { Errno($0) }

  /// The system's text for the number.
  package var description: String {
    var buffer = [CChar](repeating: 0, count: 256)
    let result = unsafe strerror_r(code, &buffer, buffer.count)
    return result == 0 ? String(nulTerminated: buffer) : "error \(code)"
  }
}

extension String {
  /// The text in a C buffer up to its terminator.
  package init(nulTerminated buffer: [CChar]) {
    self.init(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
