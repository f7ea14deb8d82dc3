import Compression
import Platform
import Spool

/// A gzip member or a zstd frame: entries that wait in memory, and are compressed as a whole.
///
/// It reaches the file only when it is complete, so that the file is valid at any moment. Sealed, it can be written as
/// often as it takes; it is gone only when it is reset.
struct Member {
  /// What has been put in.
  private(set) var contents = Tally.zero
  /// What it is once it is complete.
  private(set) var bytes: [UInt8] = []
  /// The entries, as they are.
  private var text: [UInt8] = []
  private let compressor: PartCompressor
  private let usualByteCount: Int

  /// - Parameter usualByteCount: how much is usually put in.
  /// - Throws: `Errno` when there is no memory for the compressor.
  init(_ method: CompressionMethod, usualByteCount: Int) throws(Errno) {
    guard let compressor = PartCompressor(method) else { throw .noMemory }
    self.compressor = compressor
    self.usualByteCount = usualByteCount
  }

  /// Whether it is complete; nothing can be added to it then.
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

  /// Makes a complete member of lines that are no entries, besides this one.
  func compress(_ text: [UInt8]) throws(Errno) -> [UInt8] {
    let bytes = unsafe text.withUnsafeBytes { unsafe compressor.compress($0) }
    guard let bytes else { throw .noMemory }
    return bytes
  }

  /// Begins the next one.
  mutating func reset() {
    contents = .zero
    bytes = []
    // What a single huge entry has taken is given back.
    text.removeAll(keepingCapacity: text.capacity <= 2 * usualByteCount)
  }
}
