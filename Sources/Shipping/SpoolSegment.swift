import Glibc
import Synchronization

/// One file of a spool on disk: a header, then frames.
///
/// The descriptor stays open as long as anybody may read from it, so that nothing is lost when the file, or
/// its whole directory, is removed meanwhile.
final class SpoolSegment: Sendable {
  /// What stands at the beginning: a magic number, the version of the format, and what the records are.
  static let headerBytes = 64
  private static let magic: UInt64 = 0x314c_4f4f_5053_5753  // "SWSPOOL1"

  let path: String
  let number: Int
  let descriptor: Int32
  private let system: SystemCalls
  private let end: Atomic<Int>

  /// Begins a file.
  init(creating number: Int, in directory: String, kind: UInt64, system: SystemCalls) throws(SinkError) {
    let path = directory + "/" + Self.fileName(number)
    do {
      descriptor = try system.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    } catch {
      throw SinkError(target: path, operation: "open", errno: error)
    }
    self.path = path
    self.number = number
    self.system = system
    end = Atomic(Self.headerBytes)
    var header: [UInt8] = []
    for word in [Self.magic, kind] { withUnsafeBytes(of: word.littleEndian) { header += $0 } }
    header += [UInt8](repeating: 0, count: Self.headerBytes - header.count)
    do {
      try system.writeFully(descriptor, header, at: 0)
    } catch {
      try? system.unlink(path)
      throw SinkError(target: path, operation: "write", errno: error)
    }
  }

  /// Opens a file that an earlier run has left.
  init(opening number: Int, in directory: String, system: SystemCalls) throws(SinkError) {
    let path = directory + "/" + Self.fileName(number)
    do {
      descriptor = try system.open(path, O_RDWR)
    } catch {
      throw SinkError(target: path, operation: "open", errno: error)
    }
    self.path = path
    self.number = number
    self.system = system
    do {
      end = Atomic(Int(try system.status(descriptor).st_size))
    } catch {
      end = Atomic(0)
      throw SinkError(target: path, operation: "stat", errno: error)
    }
  }

  deinit { try? system.close(descriptor) }

  /// The file's size: where the next frame goes.
  var byteCount: Int { end.load(ordering: .relaxed) }

  static func fileName(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return "spool-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits
  }

  /// The number of a file of this name; nil if it is none of a spool.
  static func number(ofFileName name: String) -> Int? {
    guard name.hasPrefix("spool-"), name.utf8.count >= 18, let number = Int(name.dropFirst(6), radix: 16),
      number >= 0, fileName(number) == name
    else { return nil }
    return number
  }

  /// What its records are; nil if the file has no header of ours.
  func kind() throws(SinkError) -> UInt64? {
    let header = try read(Self.headerBytes, at: 0)
    guard header.count == Self.headerBytes else { return nil }
    return header.withUnsafeBytes { bytes in
      guard bytes.loadUnaligned(as: UInt64.self).littleEndian == Self.magic else { return nil }
      return bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian
    }
  }

  /// Adds a frame; when that fails the file is as it was.
  /// - Returns: where it is.
  func append(_ frame: SpoolFrame, _ body: SpoolFrame.Body) throws(SinkError) -> Int {
    let offset = byteCount
    do {
      // The header comes last: what a kill leaves without one is no frame.
      var at = offset + SpoolFrame.byteCount
      try system.writeFully(descriptor, body.records, at: at)
      at += body.records.count
      try system.writeFully(descriptor, body.ends, at: at)
      let padding = offset + frame.paddedByteCount - (at + body.ends.count)
      try system.writeFully(
        descriptor, [UInt8](repeating: 0, count: padding), at: at + body.ends.count)
      try system.writeFully(descriptor, frame.bytes, at: offset)
    } catch {
      try? system.truncate(descriptor, to: offset)
      throw SinkError(target: path, operation: "write", errno: error)
    }
    end.store(offset + frame.paddedByteCount, ordering: .relaxed)
    return offset
  }

  /// Reads a frame's header; nil if there is none.
  func frame(at offset: Int) throws(SinkError) -> SpoolFrame? {
    try read(SpoolFrame.byteCount, at: offset).withUnsafeBytes { SpoolFrame($0) }
  }

  /// Reads a frame's body into a block that is large enough.
  ///
  /// - Returns: false if it isn't what the header says.
  func readBody(of frame: SpoolFrame, at offset: Int, into block: SpoolBlock) throws(SinkError) -> Bool {
    let records = UnsafeMutableRawBufferPointer(start: block.recordBytes, count: frame.recordBytes)
    let endBytes = frame.recordCount * SpoolBlock.slotBytes
    let ends = UnsafeMutableRawBufferPointer(start: block.slotsEnd - endBytes, count: endBytes)
    let start = offset + SpoolFrame.byteCount
    do {
      guard try system.readFully(descriptor, into: records, at: start) == records.count,
        try system.readFully(descriptor, into: ends, at: start + records.count) == endBytes
      else { return false }
    } catch {
      throw SinkError(target: path, operation: "read", errno: error)
    }
    let body = SpoolFrame.Body(
      records: UnsafeRawBufferPointer(records), ends: UnsafeRawBufferPointer(ends),
      recordCount: frame.recordCount)
    guard body.checksum == frame.bodyChecksum else { return false }
    // What is said to be the records' ends must be some, whoever has written it.
    var last = 0
    for index in 0..<frame.recordCount {
      let end = block.endOffset(ofRecord: index)
      guard end > last, end <= frame.recordBytes else { return false }
      last = end
    }
    return last == frame.recordBytes
  }

  /// Makes what was written outlive a power cut.
  func synchronize() throws(SinkError) {
    do {
      try system.synchronize(descriptor)
    } catch {
      throw SinkError(target: path, operation: "fsync", errno: error)
    }
  }

  /// Takes the file away; a failure leaves a file whose records count as delivered.
  func remove() { try? system.unlink(path) }

  private func read(_ count: Int, at offset: Int) throws(SinkError) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
    defer { buffer.deallocate() }
    do {
      return Array(buffer.prefix(try system.readFully(descriptor, into: buffer, at: offset)))
    } catch {
      throw SinkError(target: path, operation: "read", errno: error)
    }
  }
}
