import Glibc
public import Platform
public import Spool

/// A descriptor that another process has opened, such as standard output.
///
/// It is never made non-blocking, since that would change it for all processes that share it. A pipe or a
/// terminal is opened anew instead, a socket is told with each call not to wait, and where neither is
/// possible, the descriptor is polled first and given few bytes.
public final class StreamSink: Sink {
  private enum Way {
    /// A descriptor of our own that does not block.
    case ownNonBlocking(Int32)
    /// A socket, which can be told with each call not to wait.
    case socket
    /// A regular file, whose writes never wait.
    case file
    /// A descriptor that may block: polled first, then given only what it surely has room for.
    case cautious
  }

  /// How much a pipe takes without blocking once it polls as writable, however full it is.
  private static let cautiousBytes = 4096

  /// The name for messages.
  public let name: String

  private let descriptor: Int32
  private let way: Way
  private let ownsDescriptor: Bool
  private let file: EntryFile
  /// What the entries are.
  public let content: EntryContent
  /// The header to be written before the first entry; nil as long as it isn't known.
  private var pendingHeader: ArraySlice<UInt8>?
  private let system: SystemCalls

  /// Standard output.
  public static func standardOutput(_ content: EntryContent = .lines()) throws(SystemError) -> StreamSink {
    try StreamSink(
      descriptor: STDOUT_FILENO, name: "standard output", content: content, ownsDescriptor: false,
      system: .real)
  }

  /// Uses a descriptor that stays open and belongs to the caller.
  /// - Throws: `SystemError` when it is not open.
  public convenience init(
    descriptor: Int32, name: String, content: EntryContent = .lines()
  ) throws(SystemError) {
    try self.init(
      descriptor: descriptor, name: name, content: content, ownsDescriptor: false, system: .real)
  }

  init(
    descriptor: Int32, name: String, content: EntryContent = .lines(), ownsDescriptor: Bool,
    system: SystemCalls
  ) throws(SystemError) {
    let status: stat
    do {
      status = try system.status(descriptor)
    } catch {
      throw SystemError(operation: "stat", path: name, errno: error)
    }
    self.descriptor = descriptor
    self.name = name
    self.ownsDescriptor = ownsDescriptor
    self.system = system
    self.content = content
    way = Self.way(of: descriptor, status: status, system: system)
    file = EntryFile(borrowing: descriptor, name: name, status: status, system: system)
  }

  deinit { releaseDescriptors() }

  private static func way(of descriptor: Int32, status: stat, system: SystemCalls) -> Way {
    if status.isSocket { return .socket }
    if status.isRegular { return .file }
    let path = "/proc/self/fd/\(descriptor)"
    guard let own = try? system.open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY) else {
      return .cautious
    }
    return .ownNonBlocking(own)
  }

  /// Writes as much as the consumer has room for.
  public func write(_ batch: EntryBatch, at now: Moment) throws(SystemError) -> SinkProgress {
    if let obstacle = try writeHeader() { return SinkProgress(byteCount: 0, obstacle: obstacle) }
    if case .file = way { return SinkProgress(byteCount: try file.append(batch)) }
    return unsafe try transfer(batch.bytes)
  }

  /// Writes the header before the first entry, as far as there is room.
  /// - Returns: the obstacle to writing the rest.
  private func writeHeader() throws(SystemError) -> SinkProgress.Obstacle? {
    guard let header = pendingHeader ?? content.header?[...], !header.isEmpty else { return nil }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: header.count, alignment: 1)
    defer { unsafe bytes.deallocate() }
    unsafe bytes.copyBytes(from: header)
    let progress = unsafe try transfer(UnsafeRawBufferPointer(bytes))
    pendingHeader = header.dropFirst(progress.byteCount)
    guard progress.byteCount < header.count else { return nil }
    return progress.obstacle ?? .unwritable(descriptor)
  }

  private func transfer(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> SinkProgress {
    switch way {
    case .file:
      unsafe try file.append(bytes)
      return SinkProgress(byteCount: bytes.count)
    case .ownNonBlocking(let own):
      return unsafe try progress("write", bytes, on: own) { () throws(Errno) in
        unsafe try system.write(own, bytes)
      }
    case .socket:
      return unsafe try progress("send", bytes, on: descriptor) { () throws(Errno) in
        unsafe try system.send(descriptor, bytes)
      }
    case .cautious:
      var descriptors = [pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)]
      guard SystemCalls.poll(&descriptors, nanoseconds: 0) > 0 else {
        return SinkProgress(byteCount: 0, obstacle: .unwritable(descriptor))
      }
      let little = unsafe UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.cautiousBytes))
      return unsafe try progress("write", little, on: descriptor) { () throws(Errno) in
        unsafe try system.write(descriptor, little)
      }
    }
  }

  /// Closes a descriptor of our own, after writing the header: a log without entries is valid.
  public func close(at now: Moment) throws(SystemError) -> SinkProgress.Obstacle? {
    if let obstacle = try writeHeader() { return obstacle }
    try file.mend()
    releaseDescriptors()
    return nil
  }

  /// Closes a descriptor of our own.
  public func abandon() { releaseDescriptors() }

  private func progress(
    _ operation: String, _ bytes: UnsafeRawBufferPointer, on descriptor: Int32,
    _ transfer: () throws(Errno) -> Int
  ) throws(SystemError) -> SinkProgress {
    do {
      let count = try transfer()
      // A short write is a full pipe; another write would only confirm that.
      return SinkProgress(
        byteCount: count, obstacle: count < bytes.count ? .unwritable(descriptor) : nil)
    } catch .wouldBlock {
      return SinkProgress(byteCount: 0, obstacle: .unwritable(descriptor))
    } catch .brokenPipe {
      throw SystemError(
        operation: operation, path: name, errno: .brokenPipe, remark: "the consumer went away")
    } catch {
      throw SystemError(operation: operation, path: name, errno: error)
    }
  }

  private var areDescriptorsReleased = false

  private func releaseDescriptors() {
    guard !areDescriptorsReleased else { return }
    areDescriptorsReleased = true
    if case .ownNonBlocking(let own) = way { try? system.close(own) }
    if ownsDescriptor { try? system.close(descriptor) }
  }
}
