import Compression
import Platform
import Spool

/// A gzip member or a zstd frame: entries that wait in memory, and are compressed as a whole.
///
/// A member reaches the file only when it is complete, so that the file is valid at any moment. Once sealed,
/// it can be written as often as needed; it stays in memory until it is reset.
struct Member {
  /// The tally of the entries that were added.
  private(set) var contents = Tally.zero
  /// The compressed bytes, once the member is complete.
  private(set) var bytes: [UInt8] = []
  /// The entries, uncompressed.
  private var text: [UInt8] = []
  private let compressor: PartCompressor
  private let usualByteCount: Int

  /// Makes an empty member.
  ///
  /// - Parameter usualByteCount: how many bytes of entries are usually added.
  /// - Throws: `Errno` when there is no memory for the compressor.
  init(_ method: CompressionMethod, usualByteCount: Int) throws(Errno) {
    guard let compressor = PartCompressor(method) else { throw .noMemory }
    self.compressor = compressor
    self.usualByteCount = usualByteCount
  }

  /// Whether the member is complete, so that nothing can be added to it.
  var isSealed: Bool { !bytes.isEmpty }

  /// Adds whole entries.
  mutating func add(_ batch: EntryBatch) {
    precondition(!isSealed, "nothing is added to a complete member")
    if text.isEmpty { text.reserveCapacity(usualByteCount) }
    unsafe text.append(contentsOf: batch.bytes)
    contents += Tally(entries: batch.count, bytes: batch.byteCount)
  }

  /// Completes the member.
  ///
  /// - Throws: `Errno` when there is no memory to compress it.
  mutating func seal() throws(Errno) {
    if !isSealed { bytes = try compress(text) }
  }

  /// Makes a separate complete member of bytes that are no entries.
  func compress(_ text: [UInt8]) throws(Errno) -> [UInt8] {
    let bytes = unsafe text.withUnsafeBytes { unsafe compressor.compress($0) }
    guard let bytes else { throw .noMemory }
    return bytes
  }

  /// Empties the member for the next entries.
  mutating func reset() {
    contents = .zero
    bytes = []
    // Memory that a single huge entry has needed is given back.
    text.removeAll(keepingCapacity: text.capacity <= 2 * usualByteCount)
  }
}
