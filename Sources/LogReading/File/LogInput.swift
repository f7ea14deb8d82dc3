import Platform
import Compression
import SharedMemory
import VarnishLog

/// The bytes of a log file, one behind the other: as they are, or decoded if it is compressed.
package struct LogInput: ~Copyable {
  let file: ReadOnlyFile
  /// The input's name in messages.
  let path: String
  /// The part of a regular file that is read; nil for all of it.
  let region: Range<Int>?
  /// Whether reading it never has to wait for a writer.
  let isRegular: Bool
  /// Which file it is.
  let incarnation: LogIncarnation
  private var decoding: DecodedInput?
  /// Bytes that were read and aren't handed out yet.
  private var unread: ArraySlice<UInt8> = []
  /// The fault behind the unread bytes, if one is known already.
  private(set) var fault: LogError?
  /// How much of the region is left.
  private var regionLeft: Int

  /// How many bytes tell whether a file is compressed.
  private static let formatByteCount = 4

  /// Takes a file that nothing was read from.
  ///
  /// - Parameters:
  ///   - path: what messages call it; the file's name if nil.
  ///   - region: the part of a regular file that is read; all of it if nil.
  ///   - incarnation: which file it is; that of the file itself if nil.
  /// - Throws: `LogError` if it can't be read or decoded.
  init(
    _ file: consuming ReadOnlyFile, path: String? = nil, region: Range<Int>? = nil,
    incarnation: LogIncarnation? = nil
  ) throws(LogError) {
    let found = Self.identify(file)
    isRegular = found.isRegular
    self.incarnation = incarnation ?? found.1
    self.path = path ?? file.path
    self.region = region
    self.file = file
    regionLeft = region?.count ?? .max
    if let region { try seek(to: region.lowerBound) }
    let beginning = try peek(Self.formatByteCount)
    if let format = unsafe CompressionFormat(beginning: beginning.span.bytes) {
      decoding = try DecodedInput(format, beginning: beginning, path: self.path)
      unread = []
    }
  }

  /// The first bytes of what is left, fewer at the end; they are read again.
  mutating func peek(_ count: Int) throws(LogError) -> [UInt8] {
    while unread.count < count, fault == nil {
      let wanted = count - unread.count
      var failure: LogError?
      var isAtEnd = false
      let more = unsafe [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
        do throws(LogError) {
          if let added = unsafe try readFile(into: UnsafeMutableRawBufferPointer(buffer)) {
            filled = added
          } else {
            isAtEnd = true
          }
        } catch {
          failure = error
        }
      }
      if let failure {
        // Bytes in front of the fault are handed out first.
        guard !unread.isEmpty else { throw failure }
        fault = failure
      }
      if isAtEnd || fault != nil { break }
      unread += more
    }
    return Array(unread.prefix(count))
  }

  /// Passes over bytes.
  ///
  /// - Returns: false if there are fewer.
  mutating func skip(_ count: Int) throws(LogError) -> Bool {
    var left = count
    let taken = min(left, unread.count)
    unread.removeFirst(taken)
    left -= taken
    if isRegular, !isDecoded, left > 0 {
      let place = try position
      guard try size - place >= left else { return false }
      try seek(to: place + left)
      regionLeft -= left
      return true
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(max(left, 1), 64 << 10), alignment: 16)
    defer { unsafe buffer.deallocate() }
    while left > 0 {
      let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(left, buffer.count)])
      guard let added = unsafe try read(into: room) else { return false }
      left -= added
    }
    return true
  }

  /// How many bytes a regular file has, or the end of the region.
  var size: Int {
    get throws(LogError) {
      do {
        let size = try file.state().byteCount
        return region.map { min($0.upperBound, size) } ?? size
      } catch {
        throw .readFailed(reason: error.reason)
      }
    }
  }

  private var position: Int {
    get throws(LogError) {
      do {
        return try file.position
      } catch {
        throw .readFailed(reason: error.reason)
      }
    }
  }

  private func seek(to place: Int) throws(LogError) {
    do {
      try file.seek(to: place)
    } catch {
      throw .readFailed(reason: error.reason)
    }
  }

  private static func identify(_ file: borrowing ReadOnlyFile) -> (isRegular: Bool, LogIncarnation) {
    do {
      let state = try file.state()
      return (state.isRegularFile, LogIncarnation(state.identity))
    } catch {
      return (false, LogIncarnation(device: 0, inode: 0))
    }
  }

  /// Whether it is compressed.
  var isDecoded: Bool { decoding != nil }

  /// Whether the next read returns at once.
  var isReady: Bool {
    if isRegular || !unread.isEmpty { return true }
    switch decoding {
    case .some(let decoding): if decoding.isReady { return true }
    case nil: break
    }
    return file.isReadable
  }

  /// Reads what there is, up to the buffer's size; nil at the end.
  ///
  /// For a compressed pipe, the result may be 0 although more will come.
  ///
  /// - Throws: `LogError.readFailed`, or `.undecodable` after everything in front of the fault.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int? {
    guard unread.isEmpty else {
      let count = min(unread.count, buffer.count)
      unsafe buffer.copyBytes(from: unread.prefix(count))
      unread.removeFirst(count)
      return count
    }
    return unsafe try readFile(into: buffer)
  }

  private mutating func readFile(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int? {
    if let fault { throw fault }
    if let count = unsafe try decoding?.read(from: file, waits: isRegular, into: buffer) { return count }
    if isDecoded { return nil }
    let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, regionLeft)])
    let count = unsafe try file.readLog(into: room)
    regionLeft -= count
    return count > 0 ? count : nil
  }
}

extension ReadOnlyFile {
  /// Reads up to the buffer's size from the present position; 0 at the end.
  func readLog(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
    do {
      return unsafe try read(into: buffer)
    } catch {
      throw .readFailed(reason: error.reason)
    }
  }
}
