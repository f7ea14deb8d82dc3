import CShims
package import Glibc

/// Every system call of this module that can fail for a reason outside the program.
///
/// An interrupted call is repeated here and nowhere else. Tests hand in an interceptor to make the
/// n-th call fail or write less than it was asked to; there is none otherwise.
package struct SystemCalls: Sendable {
  /// The calls that can be intercepted.
  package enum Call: String, Sendable, CaseIterable {
    case open, close, read, write, pwrite, send, lseek, fstat, ftruncate, fsync, fdatasync, rename, unlink,
      opendir
    case mmap, eventfd, pipe, ioctl, mkdir, flock
    case spawn, waitid
    case lstat, symlink, link, futimens, rmdir, fchmod, fchown, getxattr, setxattr
    case lookup, socket, connect, recv, shutdown, bind, listen, accept
  }

  /// What an interceptor does to a call.
  package enum Fault: Sendable {
    /// The call is not made and fails with this number.
    case fail(Int32)
    /// The call transfers at most this many bytes.
    case short(Int)
    /// The call is not made and seems to have succeeded.
    case pretend
  }

  package static let real = SystemCalls()

  package var intercept: (@Sendable (Call) -> Fault?)?

  /// The system's calls, except those that `intercept` makes fail.
  package init(intercept: (@Sendable (Call) -> Fault?)? = nil) { self.intercept = intercept }

  /// Makes one call, and repeats it while it is interrupted; a negative result is thrown as the failure in
  /// `errno`.
  package func perform<Result: FixedWidthInteger & SignedInteger>(
    _ call: Call, _ body: (_ limit: Int) -> Result
  ) throws(Errno) -> Result {
    while true {
      let code: Int32
      var limit = Int.max
      switch intercept?(call) {
      case .fail(let injected)?:
        code = injected
      case .pretend?:
        return 0
      case let fault:
        if case .short(let bytes)? = fault { limit = bytes }
        let result = body(limit)
        if result >= 0 { return result }
        code = errno
      }
      if code != EINTR { throw Errno(code) }
    }
  }

  package func open(_ path: String, _ flags: Int32, mode: mode_t = 0o666) throws(Errno) -> Int32 {
    try perform(.open) { _ in unsafe Glibc.open(path, flags | O_CLOEXEC, mode) }
  }

  /// Closes a descriptor, once: even after an interruption it is closed.
  package func close(_ descriptor: Int32) throws(Errno) {
    do {
      _ = try perform(.close) { _ in Glibc.close(descriptor) == 0 ? 0 : errno == EINTR ? 0 : -1 }
    } catch {
      // An injected failure must not leak the descriptor of the test that injected it.
      if intercept != nil { _ = Glibc.close(descriptor) }
      throw error
    }
  }

  package func read(
    _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(Errno) -> Int {
    try perform(.read) { unsafe pread(descriptor, buffer.baseAddress, min($0, buffer.count), offset) }
  }

  /// Reads until the buffer is full or the file ends.
  package func readFully(
    _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(Errno) -> Int {
    var count = 0
    while count < buffer.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
      let more = unsafe try read(descriptor, into: rest, at: offset + count)
      if more == 0 { break }
      count += more
    }
    return count
  }

  /// The bytes at an offset; fewer if the file ends.
  package func read(_ count: Int, of descriptor: Int32, at offset: Int) throws(Errno) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
    defer { unsafe buffer.deallocate() }
    return unsafe Array(buffer.prefix(try readFully(descriptor, into: buffer, at: offset)))
  }

  package func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
    try perform(.write) { unsafe Glibc.write(descriptor, bytes.baseAddress, min($0, bytes.count)) }
  }

  /// Sends to a socket without waiting and without a signal when the peer is gone.
  package func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
    let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
    return try perform(.send) {
      unsafe Glibc.send(descriptor, bytes.baseAddress, min($0, bytes.count), flags)
    }
  }

  /// Moves a descriptor's position by `distance`.
  package func seek(_ descriptor: Int32, by distance: Int) throws(Errno) {
    _ = try perform(.lseek) { _ in Glibc.lseek(descriptor, distance, SEEK_CUR) }
  }

  package func status(_ descriptor: Int32) throws(Errno) -> stat {
    var status = stat()
    _ = try perform(.fstat) { _ in unsafe fstat(descriptor, &status) }
    return status
  }

  /// The status of the file that the path leads to; nil if there is none.
  package func status(ofPath path: String) -> stat? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? status : nil
  }

  /// Whether a path leads to the file that a descriptor has open.
  package func isInPlace(_ descriptor: Int32, _ path: String) -> Bool {
    guard let named = status(ofPath: path), let open = try? status(descriptor) else { return false }
    return named.st_ino == open.st_ino && named.st_dev == open.st_dev
  }

  package func truncate(_ descriptor: Int32, to byteCount: Int) throws(Errno) {
    _ = try perform(.ftruncate) { _ in ftruncate(descriptor, byteCount) }
  }

  /// Writes all bytes at an offset.
  package func writeFully(
    _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(Errno) {
    var written = 0
    while written < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
      written += try perform(.write) {
        unsafe pwrite(descriptor, rest.baseAddress, min($0, rest.count), offset + written)
      }
    }
  }

  /// Writes all bytes at an offset.
  package func writeFully(_ descriptor: Int32, _ bytes: [UInt8], at offset: Int) throws(Errno) {
    let result: Result<Void, Errno> = unsafe bytes.withUnsafeBytes { buffer in
      do throws(Errno) {
        return unsafe .success(try writeFully(descriptor, buffer, at: offset))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Replaces a few bytes within one page, which the kernel does at once, so that a kill can't leave part of
  /// it.
  package func replace(_ bytes: [UInt8], of descriptor: Int32, at offset: Int) throws(Errno) {
    let count = try perform(.pwrite) { _ in
      unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, offset) }
    }
    // Only a full disk under a copy-on-write file system could leave a partial write.
    if count < bytes.count { throw Errno(ENOSPC) }
  }

  /// Makes a directory; an existing one is no error.
  package func makeDirectory(_ path: String) throws(Errno) {
    do {
      try makeNewDirectory(path, mode: 0o700)
    } catch .exists {
      // If the name belongs to something else, opening a file in it fails.
    }
  }

  /// Claims a file for this process; `EWOULDBLOCK` if another has it.
  ///
  /// - Parameter nanoseconds: how long to wait for a holder that is about to end.
  package func lock(_ descriptor: Int32, within nanoseconds: Int64 = 0) throws(Errno) {
    let deadline = SystemClock.steadyNanoseconds + nanoseconds
    while true {
      do throws(Errno) {
        _ = try perform(.flock) { _ in flock(descriptor, LOCK_EX | LOCK_NB) }
        return
      } catch .wouldBlock where SystemClock.steadyNanoseconds < deadline {
        usleep(10_000)
      }
    }
  }

  /// Makes a descriptor refer to another one's open file, in all code that uses the descriptor.
  package func replace(_ descriptor: Int32, by other: Int32) throws(Errno) {
    while dup2(other, descriptor) < 0 {
      if errno != EINTR && errno != EBUSY { throw Errno(errno) }
    }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  /// Releases the lock, even if another process has inherited the same open file.
  package static func unlock(_ descriptor: Int32) { _ = flock(descriptor, LOCK_UN) }

  /// Makes the names in a directory outlive a power cut.
  package func synchronize(directory path: String) throws(Errno) {
    let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
    defer { try? close(descriptor) }
    try synchronize(descriptor)
  }

  package func synchronize(_ descriptor: Int32) throws(Errno) {
    _ = try perform(.fsync) { _ in fsync(descriptor) }
  }

  /// Makes a file's contents outlive a power cut, and only the metadata that reading them needs.
  package func synchronizeData(_ descriptor: Int32) throws(Errno) {
    _ = try perform(.fdatasync) { _ in fdatasync(descriptor) }
  }

  package func unlink(_ path: String) throws(Errno) {
    _ = try perform(.unlink) { _ in unsafe Glibc.unlink(path) }
  }

  /// The names in a directory, in no order.
  package func names(inDirectory path: String) throws(Errno) -> [String] {
    var names: [String] = []
    _ = try perform(.opendir) { _ in
      guard let directory = unsafe opendir(path) else { return -1 }
      defer { unsafe closedir(directory) }
      while let entry = unsafe readdir(directory) {
        unsafe names.append(
          withUnsafePointer(to: &entry.pointee.d_name) {
            unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
          })
      }
      return 0
    }
    return names
  }

  /// Lets a test make a call fail that is made elsewhere.
  package func check(_ call: Call) throws(Errno) { _ = try perform(call) { _ in 0 } }

  /// Memory of zeros, of whole pages.
  package func map(_ byteCount: Int) throws(Errno) -> UnsafeMutableRawPointer {
    var memory: UnsafeMutableRawPointer?
    _ = try perform(.mmap) { _ in
      unsafe memory = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      return unsafe memory == MAP_FAILED ? -1 : 0
    }
    guard let memory = unsafe memory else { throw .noMemory }
    return unsafe memory
  }

  /// Unmaps memory.
  package static func unmap(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) {
    _ = unsafe munmap(memory, byteCount)
  }

  /// A descriptor that is readable once it was signalled, and never blocks.
  package func makeEvent() throws(Errno) -> Int32 { try perform(.eventfd) { _ in shim_event() } }

  /// Waits until one of the descriptors is ready; nil waits for ever.
  ///
  /// Returns early when a signal interrupts: callers check their conditions again anyway, and only they know
  /// how much of their time is left.
  @discardableResult
  package static func poll(_ descriptors: inout [pollfd], nanoseconds: Int64?) -> Int32 {
    // Rounded up, lest the last fraction of a millisecond be spent spinning.
    let milliseconds = nanoseconds.map { min(max(0, ($0 + 999_999) / 1_000_000), 86_400_000) }
    return unsafe Glibc.poll(&descriptors, nfds_t(descriptors.count), Int32(milliseconds ?? -1))
  }
}
