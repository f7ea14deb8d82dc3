import Glibc
import Platform

/// The progress of a spool on disk: how far its entries were delivered and written, and which checkpoint they
/// belong to.
///
/// These are numbers in a small file, each with a checksum and with one thread that writes it.
struct SpoolCursor: ~Copyable, Sendable {
  /// The numbers in the file.
  enum Mark: Int, CaseIterable {
    /// All entries in front of this sequence were delivered; written by the consumer.
    case delivered
    /// All entries in front of this sequence were written to the disk, or delivered without it.
    case written
    /// All entries in front of this sequence had been delivered when the last file was begun: as long as
    /// there are no files, the consumer notes nothing.
    case begun
    /// The checkpoint whose run has used the directory last, 0 if that had none: only that checkpoint's
    /// sequences are those of the entries in the directory.
    case lineage
  }

  private static let markBytes = 64
  private static let magic: UInt32 = 0x4b52_5753  // "SWRK"

  let path: String
  private let descriptor: Int32
  private let system: SystemCalls

  private init(_ path: String, _ descriptor: Int32, _ system: SystemCalls) {
    self.path = path
    self.descriptor = descriptor
    self.system = system
  }

  /// Opens the file, creating it if there is none, and claims it for this process.
  ///
  /// - Throws: `SystemError` if that fails, or if another process has it.
  static func open(in directory: String, system: SystemCalls) throws(SystemError) -> SpoolCursor {
    let path = directory + "/cursor"
    return SpoolCursor(path, try claim(path, system), system)
  }

  /// How long to wait for a spool that holds the directory and is about to end, in this process or another
  /// one.
  private static let patienceNanoseconds: Int64 = 1_000_000_000

  private static func claim(_ path: String, _ system: SystemCalls) throws(SystemError) -> Int32 {
    let descriptor: Int32
    do {
      descriptor = try system.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode: 0o600)
    } catch {
      throw SystemError(operation: "open", path: path, errno: error)
    }
    let problem: String?
    do throws(Errno) {
      problem = SpoolOwnership.problem(ofFile: try system.status(descriptor))
      if problem == nil { try system.lock(descriptor, within: patienceNanoseconds) }
    } catch {
      try? system.close(descriptor)
      if error == .wouldBlock {
        throw SystemError(operation: "lock", path: path, problem: "another process spools here")
      }
      throw SystemError(operation: "lock", path: path, errno: error)
    }
    guard let problem else { return descriptor }
    try? system.close(descriptor)
    throw SystemError(operation: "spool", path: path, problem: problem)
  }

  /// Whether the file still has its name in the directory.
  var isInPlace: Bool { system.isInPlace(descriptor, path) }

  /// Makes the file anew if it was removed.
  ///
  /// If a thread writes a number at the same time, it is written to either the old file or the new one.
  func restore() throws(SystemError) {
    if isInPlace { return }
    let new = try Self.claim(path, system)
    defer { try? system.close(new) }
    do {
      try system.replace(descriptor, by: new)
    } catch {
      throw SystemError(operation: "dup", path: path, errno: error)
    }
  }

  deinit {
    // A child between its fork and its exec has the file open, too, so that closing it here would not unlock
    // it.
    SystemCalls.unlock(descriptor)
    try? system.close(descriptor)
  }

  /// The number written last; nil if there is none, or if it is damaged.
  func value(of mark: Mark) throws(SystemError) -> Int? {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 8)
    defer { unsafe buffer.deallocate() }
    do {
      let offset = mark.rawValue * Self.markBytes
      guard unsafe try system.readFully(descriptor, into: buffer, at: offset) == buffer.count else {
        return nil
      }
    } catch {
      throw SystemError(operation: "read", path: path, errno: error)
    }
    let value = unsafe buffer.load(fromByteOffset: 8, as: UInt64.self).littleEndian
    guard value < 1 << 62, unsafe Self.bytes(Int(value)).elementsEqual(buffer) else { return nil }
    return Int(value)
  }

  /// Writes a number.
  func set(_ mark: Mark, to value: Int) throws(SystemError) {
    do {
      try system.writeFully(descriptor, Self.bytes(value), at: mark.rawValue * Self.markBytes)
    } catch {
      throw SystemError(operation: "write", path: path, errno: error)
    }
  }

  /// Makes the file and the numbers in it outlive a power cut.
  func synchronize() throws(SystemError) {
    do {
      try system.synchronize(descriptor)
    } catch {
      throw SystemError(operation: "fsync", path: path, errno: error)
    }
  }

  private static func bytes(_ value: Int) -> [UInt8] {
    var number: [UInt8] = []
    unsafe withUnsafeBytes(of: UInt64(value).littleEndian) { unsafe number += $0 }
    var bytes: [UInt8] = []
    for word in unsafe [magic, number.withUnsafeBytes(SpoolFrame.checksum)] {
      unsafe withUnsafeBytes(of: word.littleEndian) { unsafe bytes += $0 }
    }
    return bytes + number
  }
}
