import Platform
import SharedMemory
import VarnishLog

/// The part of a file that is in memory: a piece of a regular file mapped, or what a pipe or a decoder gave
/// read into a buffer.
///
/// Either way it is of bounded size, longer than any record, and moves forward only. A mapped file that
/// another process truncates reads as zeros, which no log has where a record begins.
@safe struct FileWindow: ~Copyable {
  private var input: LogInput
  /// The first byte; valid until the next `slide`.
  private(set) var start: UnsafeRawPointer
  /// How many bytes are there.
  private(set) var byteCount = 0
  /// Where in the file, or in what was decoded from it, the window begins.
  private(set) var offset: Int
  /// Whether the file ends where the window does.
  private(set) var reachedEnd = false
  /// Why it ends there, if it isn't the file's true end.
  private(set) var fault: LogError?

  private var mapping: SlidingMapping?
  private let buffer: UnsafeMutableRawBufferPointer
  private var isMapped: Bool

  /// The sizes in bytes: the most that is mapped, what is added to it at a time, the buffer for what can't be
  /// mapped, and what is read into it at a time.
  private static var mappedByteCountMax: Int { 4 << 20 }
  private static var mappedStep: Int { 1 << 20 }
  private static var bufferByteCount: Int { 256 << 10 }
  private static var readByteCount: Int { 64 << 10 }

  /// A window on the file's records, empty at first.
  init(_ file: consuming LogFile) {
    offset = file.firstRecordOffset
    input = file.input
    isMapped = input.isRegular && !input.isDecoded
    mapping = nil
    unsafe buffer = .allocate(byteCount: Self.bufferByteCount, alignment: 16)
    unsafe start = unsafe UnsafeRawPointer(buffer.baseAddress.unsafelyUnwrapped)
  }

  deinit { unsafe buffer.deallocate() }

  /// The file's name.
  var path: String { input.path }
  /// The file descriptor, which becomes readable when there is more in a pipe.
  var descriptor: Int32 { input.file.descriptor }
  /// Which file it is.
  var incarnation: LogIncarnation { input.incarnation }
  /// Whether the input has the same bytes when it is opened again, unlike a pipe.
  var isLasting: Bool { input.isRegular }
  /// Whether the file is compressed, so that offsets count decoded bytes.
  var isDecoded: Bool { input.isDecoded }
  /// Whether `slide` returns without waiting for a writer.
  var isReady: Bool { input.isReady }

  /// Whether the window can't become longer unless its beginning moves forward.
  var isFull: Bool { unsafe byteCount >= (isMapped ? Self.mappedByteCountMax : buffer.count) }

  /// Moves the beginning forward by `count` bytes and takes in more at the end, if there is more.
  ///
  /// A pipe or compressed file that can't be read any further ends there, with a fault.
  ///
  /// - Throws: `LogError.readFailed` if the file can't be mapped.
  mutating func slide(by count: Int) throws(LogError) {
    do throws(SystemError) {
      if isMapped, try remap(at: offset + count) { return }
    } catch {
      throw .readFailed(reason: error.reason)
    }
    read(keeping: count)
  }

  /// Moves to a place, and takes in what is there with the next `slide`.
  mutating func jump(to place: Int) {
    unmap()
    offset = place
    reachedEnd = false
  }

  private mutating func unmap() {
    mapping = nil
    unsafe start = unsafe UnsafeRawPointer(buffer.baseAddress.unsafelyUnwrapped)
    byteCount = 0
  }

  /// The file in chunks, if it is mapped; nil if it isn't.
  func chunks<Layout: RecordLayout>(
    of chunkByteCount: Int, overlap: Int
  ) throws(SystemError) -> ChunkedFile<Layout>? {
    guard isMapped else { return nil }
    let origin = input.region?.lowerBound ?? 0
    let end = try input.file.state().byteCount
    let byteCount = min(input.region?.upperBound ?? end, end) - origin
    return try ChunkedFile(
      input.file, origin: origin, byteCount: byteCount, chunkByteCount: chunkByteCount,
      overlapByteCount: overlap)
  }

  /// Maps the file from a place on; false if files of this kind can't be mapped.
  private mutating func remap(at newOffset: Int) throws(SystemError) -> Bool {
    let origin = input.region?.lowerBound ?? 0
    let end = try input.file.state().byteCount
    let left = min(input.region?.upperBound ?? end, end) - origin - newOffset
    guard left >= 0 else {
      throw SystemError(
        operation: "read", path: path, problem: "the file has become shorter than what was read")
    }
    let kept = offset + byteCount - newOffset
    let wanted = min(left, kept + Self.mappedStep, Self.mappedByteCountMax)
    // Nothing new: what is mapped already reaches as far as the file does.
    if newOffset == offset, wanted <= byteCount {
      reachedEnd = true
      return true
    }
    let part = origin + newOffset..<origin + newOffset + wanted
    if mapping?.move(to: part) != true {
      let isFirst = mapping == nil
      // Unmapped first, so that there are never two windows in the address space.
      unmap()
      do {
        mapping = try SlidingMapping(input.file, part)
      } catch {
        guard isFirst else { throw error }
        isMapped = false
        return false
      }
    }
    if let base = unsafe mapping?.base { unsafe start = unsafe base }
    offset = newOffset
    byteCount = wanted
    reachedEnd = wanted == left
    return true
  }

  private mutating func read(keeping count: Int) {
    let base = unsafe buffer.baseAddress.unsafelyUnwrapped
    let unread = byteCount - count
    if count > 0 {
      unsafe base.copyMemory(from: base + count, byteCount: unread)
      offset += count
      byteCount = unread
    }
    // One read only: what a pipe has is used at once, rather than waiting for more.
    let room = unsafe buffer[byteCount..<min(byteCount + Self.readByteCount, buffer.count)]
    do throws(LogError) {
      if let added = unsafe try input.read(into: UnsafeMutableRawBufferPointer(rebasing: room)) {
        byteCount += added
        return
      }
    } catch {
      fault = error
    }
    reachedEnd = true
  }
}
