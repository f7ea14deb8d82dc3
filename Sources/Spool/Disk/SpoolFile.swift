import Glibc
import Platform
import Synchronization

/// One file of a spool on disk: a header, then frames.
///
/// The descriptor stays open as long as frames may be read from it, so that no entries are lost if the file,
/// or its whole directory, is removed meanwhile.
final class SpoolFile: Sendable {
  let path: String
  let number: Int
  let header: SpoolFileHeader
  private let descriptor: Int32
  private let system: SystemCalls
  private let end: Atomic<Int>

  static var headerBytes: Int { SpoolFileHeader.byteCount }
  /// How much of a file is read at most; our own files are much smaller.
  private static let byteCountMax = 4 << 30

  /// Begins a file.
  init(
    creating number: Int, in directory: String, kind: UInt64, lineage: UInt64, system: SystemCalls
  ) throws(SystemError) {
    let path = directory + "/" + Self.fileName(number)
    do {
      descriptor = try system.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    } catch {
      throw SystemError(operation: "open", path: path, errno: error)
    }
    self.path = path
    self.number = number
    self.system = system
    header = SpoolFileHeader(kind: kind, key: .random(in: 0...UInt32.max), lineage: lineage)
    end = Atomic(Self.headerBytes)
    do {
      try system.writeFully(descriptor, header.bytes, at: 0)
      FaultPoint.spoolFileBegun.pass()
    } catch {
      try? system.unlink(path)
      throw SystemError(operation: "write", path: path, errno: error)
    }
  }

  private init(
    _ path: String, _ number: Int, _ header: SpoolFileHeader, _ descriptor: Int32, byteCount: Int,
    _ system: SystemCalls
  ) {
    self.path = path
    self.number = number
    self.header = header
    self.descriptor = descriptor
    self.system = system
    end = Atomic(byteCount)
  }

  deinit { try? system.close(descriptor) }

  /// The file's size: where the next frame goes.
  var byteCount: Int { end.load(ordering: .relaxed) }

  /// Whether the file still has its name in the directory, so that another run would find it.
  var isInPlace: Bool { system.isInPlace(descriptor, path) }

  /// Removes the file; if that fails, the file is left, but its entries count as delivered.
  func remove() {
    // Another file that has its name by now isn't removed.
    if isInPlace { try? system.unlink(path) }
    FaultPoint.spoolFileRemoved.pass()
  }

  /// Makes the frames written so far outlive a power cut.
  func synchronize() throws(SystemError) {
    do {
      try system.synchronize(descriptor)
    } catch {
      throw SystemError(operation: "fsync", path: path, errno: error)
    }
  }
}

// MARK: - What an earlier run has left

extension SpoolFile {
  static func fileName(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return "spool-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits
  }

  /// The number in a file's name; nil if it isn't the name of a spool's file.
  static func number(ofFileName name: String) -> Int? {
    guard name.hasPrefix("spool-"), let number = Int(name.dropFirst(6), radix: 16), number >= 0,
      number < 1 << 60, fileName(number) == name
    else { return nil }
    return number
  }

  /// The result of looking for a file.
  enum Finding {
    case found(SpoolFile)
    /// A file that a kill has left before its header was written.
    case stub
    /// None of ours, or damaged at its beginning.
    case foreign
  }

  /// Opens a file that an earlier run has left.
  static func find(_ number: Int, in directory: String, system: SystemCalls) throws(SystemError) -> Finding {
    let path = directory + "/" + fileName(number)
    let descriptor: Int32
    do {
      descriptor = try system.open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK)
    } catch Errno(EISDIR), Errno(ELOOP), .noPeer {
      return .foreign
    } catch {
      throw SystemError(operation: "open", path: path, errno: error)
    }
    do {
      let status = try system.status(descriptor)
      guard SpoolOwnership.problem(ofFile: status) == nil else {
        try? system.close(descriptor)
        return .foreign
      }
      let bytes = try system.read(SpoolFileHeader.byteCount, of: descriptor, at: 0)
      guard bytes.count == SpoolFileHeader.byteCount, let header = SpoolFileHeader(bytes) else {
        try? system.close(descriptor)
        return bytes.count < SpoolFileHeader.byteCount ? .stub : .foreign
      }
      let byteCount = min(Int(status.st_size), byteCountMax)
      return .found(SpoolFile(path, number, header, descriptor, byteCount: byteCount, system))
    } catch {
      try? system.close(descriptor)
      throw SystemError(operation: "read", path: path, errno: error)
    }
  }
}

// MARK: - Frames

extension SpoolFile {
  /// Appends a frame; if that fails, the file is as it was.
  /// - Returns: the frame's offset.
  func append(_ frame: SpoolFrame, _ body: SpoolFrame.Body) throws(SystemError) -> Int {
    let offset = byteCount
    do {
      // The header is written last: what a kill leaves without a header is no frame.
      var at = offset + SpoolFrame.byteCount
      unsafe try system.writeFully(descriptor, body.entries, at: at)
      unsafe at += body.entries.count
      unsafe try system.writeFully(descriptor, body.slots, at: at)
      unsafe at += body.slots.count
      let padding = [UInt8](repeating: 0, count: offset + frame.paddedByteCount - at)
      try system.writeFully(descriptor, padding, at: at)
      FaultPoint.spoolFrameHalfWritten.pass()
      try system.writeFully(descriptor, frame.bytes(key: header.key), at: offset)
      FaultPoint.spoolFrameWritten.pass()
    } catch {
      try? system.truncate(descriptor, to: offset)
      throw SystemError(operation: "write", path: path, errno: error)
    }
    end.store(offset + frame.paddedByteCount, ordering: .relaxed)
    return offset
  }

  /// All frames, with their offsets.
  ///
  /// Damaged parts are skipped, up to the next whole header; whether the entries are whole shows when they
  /// are read.
  func frames() throws(SystemError) -> [(offset: Int, frame: SpoolFrame)] {
    var frames: [(offset: Int, frame: SpoolFrame)] = []
    var offset = Self.headerBytes
    while offset + SpoolFrame.byteCount <= byteCount {
      if let frame = frame(in: try read(SpoolFrame.byteCount, at: offset)[...], at: offset) {
        frames.append((offset, frame))
        offset += frame.paddedByteCount
      } else {
        offset = try offsetOfFrame(behind: offset)
      }
    }
    return frames
  }

  /// The offset of the next frame; the file's end if there is none.
  private func offsetOfFrame(behind start: Int) throws(SystemError) -> Int {
    var offset = start + SpoolFrame.alignment
    while offset + SpoolFrame.byteCount <= byteCount {
      let chunk = try read(64 << 10, at: offset)
      for place in stride(from: 0, to: chunk.count, by: SpoolFrame.alignment)
      where frame(in: chunk[place...].prefix(SpoolFrame.byteCount), at: offset + place) != nil {
        return offset + place
      }
      // The file was cut meanwhile.
      if chunk.isEmpty { break }
      offset += SpoolFrame.padded(chunk.count)
    }
    return byteCount
  }

  /// The frame whose header these bytes are, if all of it is in the file.
  private func frame(in bytes: ArraySlice<UInt8>, at offset: Int) -> SpoolFrame? {
    guard let frame = unsafe bytes.withUnsafeBytes({ unsafe SpoolFrame($0, key: header.key) }),
      offset + SpoolFrame.byteCount + frame.bodyByteCount <= byteCount
    else { return nil }
    return frame
  }

  /// Reads a frame's body into a block that is large enough.
  ///
  /// - Returns: false if the body isn't what the header says.
  func readBody(of frame: SpoolFrame, at offset: Int, into block: SpoolBlock) throws(SystemError) -> Bool {
    let entries = unsafe UnsafeMutableRawBufferPointer(start: block.entryBytes, count: frame.entryBytes)
    let slotBytes = frame.entryCount * frame.slotBytes
    let slots = unsafe UnsafeMutableRawBufferPointer(start: block.slotsEnd - slotBytes, count: slotBytes)
    let start = offset + SpoolFrame.byteCount
    do {
      guard unsafe try system.readFully(descriptor, into: entries, at: start) == entries.count,
        unsafe try system.readFully(descriptor, into: slots, at: start + entries.count) == slotBytes
      else { return false }
    } catch {
      throw SystemError(operation: "read", path: path, errno: error)
    }
    let body = unsafe SpoolFrame.Body(
      entries: UnsafeRawBufferPointer(entries), slots: UnsafeRawBufferPointer(slots),
      entryCount: frame.entryCount)
    guard body.checksum == frame.bodyChecksum else { return false }
    if frame.slotBytes == SpoolFrame.formerSlotBytes { block.widenSlots(frame.entryCount) }
    // The ends in the slots must be possible ones, even if the checksum is right.
    var last = 0
    for index in 0..<frame.entryCount {
      let end = block.endOffset(ofEntry: index)
      guard end > last, end <= frame.entryBytes else { return false }
      last = end
    }
    return last == frame.entryBytes
  }

  /// How many bytes the first entries of a frame have, by its slots, which aren't checked yet.
  func byteCount(ofFirst entryCount: Int, in frame: SpoolFrame, at offset: Int) throws(SystemError) -> Int {
    guard entryCount > 0 else { return 0 }
    let place = frame.entryBytes + (frame.entryCount - entryCount) * frame.slotBytes
    let bytes = try read(4, at: offset + SpoolFrame.byteCount + place)
    guard bytes.count == 4 else { return 0 }
    let end = unsafe bytes.withUnsafeBytes { unsafe Int($0.loadUnaligned(as: UInt32.self).littleEndian) }
    return min(end, frame.entryBytes)
  }

  /// Invalidates a frame by overwriting its header.
  func invalidate(at offset: Int) throws(SystemError) {
    do {
      try system.writeFully(descriptor, [UInt8](repeating: 0, count: SpoolFrame.byteCount), at: offset)
    } catch {
      throw SystemError(operation: "write", path: path, errno: error)
    }
  }

  private func read(_ count: Int, at offset: Int) throws(SystemError) -> [UInt8] {
    do {
      return try system.read(count, of: descriptor, at: offset)
    } catch {
      throw SystemError(operation: "read", path: path, errno: error)
    }
  }
}
