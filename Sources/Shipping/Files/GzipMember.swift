internal import CZlib
import Platform
import Spool

/// A gzip member that is being compressed in memory.
///
/// It reaches the file only when it is complete, so that the file is valid at any moment. Sealed, it can be
/// written as often as it takes; it is gone only when it is reset.
@safe struct GzipMember: ~Copyable {
  // Invariant: `stream` is an initialized deflate stream from the end of `init` to `deinit`; its pointers into input
  // and output are used only within the call of `compress` that has set them.

  /// What has been put in.
  private(set) var contents = Tally.zero
  /// Whether it is complete; nothing can be added to it then.
  private(set) var isSealed = false
  // On the heap, as the library keeps a pointer from its own state back to it.
  private let stream: UnsafeMutablePointer<z_stream>
  private var output = [UInt8](repeating: 0, count: 64 << 10)
  private var outputCount = 0

  /// - Throws: `Errno` when there is no memory for the compressor.
  init(level: Int) throws(Errno) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let gzipWindow: Int32 = 15 + 16
    let result = unsafe deflateInit2_(
      stream, Int32(min(max(level, 1), 9)), Z_DEFLATED, gzipWindow, 8, Z_DEFAULT_STRATEGY,
      ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    if result != Z_OK { throw .noMemory }
  }

  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deinitialize(count: 1)
    unsafe stream.deallocate()
  }

  /// Whether there is nothing in it.
  var isEmpty: Bool { contents.entries == 0 }

  /// How many bytes it has once it is complete.
  var byteCount: Int { outputCount }

  /// Adds whole entries.
  mutating func add(_ batch: EntryBatch) {
    unsafe compress(batch.bytes, Z_NO_FLUSH)
    contents += Tally(entries: batch.count, bytes: batch.byteCount)
  }

  /// Adds lines that are no entries.
  mutating func add(header: UnsafeRawBufferPointer) { unsafe compress(header, Z_NO_FLUSH) }

  /// Completes the member.
  mutating func seal() {
    guard !isSealed else { return }
    unsafe compress(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH)
    isSealed = true
  }

  /// Hands out the bytes of the complete member.
  func withBytes(_ body: (UnsafeRawBufferPointer) throws(SystemError) -> Void) throws(SystemError) {
    precondition(isSealed, "a member is written when it is complete")
    unsafe try output.withUnsafeBufferPointer { (buffer) throws(SystemError) in
      unsafe try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer).prefix(outputCount)))
    }
  }

  /// Begins the next one.
  mutating func reset() {
    unsafe deflateReset(stream)
    outputCount = 0
    contents = .zero
    isSealed = false
  }

  private mutating func compress(_ bytes: UnsafeRawBufferPointer, _ flush: Int32) {
    precondition(!isSealed, "nothing is added to a complete member")
    let start = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress
    unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: start)
    // An entry is at most 1 GiB and a batch not much more than that, so it fits 32 bits.
    unsafe stream.pointee.avail_in = UInt32(bytes.count)
    var result = Z_OK
    repeat {
      if output.count - outputCount < 16 << 10 {
        output.append(contentsOf: repeatElement(0, count: output.count))
      }
      result = unsafe output.withUnsafeMutableBufferPointer { buffer in
        unsafe stream.pointee.next_out = unsafe buffer.baseAddress.map { unsafe $0 + outputCount }
        unsafe stream.pointee.avail_out = UInt32(min(buffer.count - outputCount, 1 << 30))
        let before = unsafe stream.pointee.avail_out
        let result = unsafe deflate(stream, flush)
        unsafe outputCount += Int(before - stream.pointee.avail_out)
        return result
      }
    } while unsafe stream.pointee.avail_in > 0 || (flush == Z_FINISH && result == Z_OK)
  }
}
