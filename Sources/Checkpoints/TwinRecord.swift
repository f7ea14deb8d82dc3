import CZlib
import Platform

/// Something that is replaced as a whole, again and again, by a process that may be killed at any instruction: two
/// copies, of which always the older one is overwritten.
///
/// ```
/// 0 checksum of what follows   4 number of words   8 generation   16 key   24 words …
/// ```
///
/// in little-endian numbers, twice. A copy that was being written at the time of a kill has a wrong checksum, and then
/// the other one counts. The key is the file's own: what was left by another file is never taken for a copy.
@safe final class TwinRecord {
  static let headerByteCount = 24

  // Invariant: `2 * copyByteCount` bytes at `memory` are mapped and can be written as long as `owner` lives; one thread
  // at a time uses a record. Other processes may read the memory, and find at least one whole copy.
  private let memory: UnsafeMutableRawPointer
  private let copyByteCount: Int
  private let key: UInt64
  private let owner: AnyObject
  private var generation: UInt64 = 0

  /// A record in memory that belongs to a mapping, which stays as long as the record.
  init(_ memory: UnsafeMutableRawPointer, copyByteCount: Int, key: UInt64, of owner: AnyObject) {
    precondition(copyByteCount % 8 == 0 && copyByteCount > Self.headerByteCount)
    unsafe self.memory = memory
    self.copyByteCount = copyByteCount
    self.key = key
    self.owner = owner
  }

  /// How many words a copy has room for.
  var capacity: Int { (copyByteCount - Self.headerByteCount) / 8 }

  /// Replaces the older copy.
  ///
  /// - Returns: false if there is no room for so many words; then nothing has changed.
  @discardableResult
  func store(_ words: [UInt64]) -> Bool {
    guard words.count <= capacity else { return false }
    generation += 1
    let copy = unsafe memory + Int(generation % 2) * copyByteCount
    // This copy is older than the other one, so it doesn't matter in which order its words are overwritten.
    for (index, word) in words.enumerated() {
      unsafe copy.storeBytes(
        of: word.littleEndian, toByteOffset: Self.headerByteCount + index * 8, as: UInt64.self)
      FaultPoint.checkpointWordStored.pass()
    }
    unsafe copy.storeBytes(of: UInt32(words.count).littleEndian, toByteOffset: 4, as: UInt32.self)
    unsafe copy.storeBytes(of: generation.littleEndian, toByteOffset: 8, as: UInt64.self)
    FaultPoint.checkpointWordStored.pass()
    unsafe copy.storeBytes(of: key.littleEndian, toByteOffset: 16, as: UInt64.self)
    FaultPoint.checkpointWordStored.pass()
    let checksum = unsafe Self.checksum(copy, wordCount: words.count)
    unsafe copy.storeBytes(of: checksum.littleEndian, toByteOffset: 0, as: UInt32.self)
    return true
  }

  /// What was found in two copies.
  struct Content: Equatable {
    /// The words of the newer whole copy; nil if neither copy is whole.
    var words: [UInt64]?
    /// Whether there is a copy that has been written to and isn't whole.
    var isDamaged = false
  }

  /// Reads both copies; the next words stored replace the older copy, or the damaged one.
  func load() -> Content {
    var content = Content()
    generation = 0
    for index in 0..<2 {
      guard let (found, words) = copy(index) else {
        if !isBlank(index), !isFirst(index) { content.isDamaged = true }
        continue
      }
      if content.words == nil || found > generation { (generation, content.words) = (found, words) }
    }
    return content
  }

  /// Fills both copies with zeros.
  func clear() {
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: 2 * copyByteCount)
    generation = 0
  }

  /// A copy, if it is whole and where its generation belongs.
  private func copy(_ index: Int) -> (generation: UInt64, words: [UInt64])? {
    let copy = unsafe UnsafeRawPointer(memory + index * copyByteCount)
    let wordCount = unsafe Int(UInt32(littleEndian: copy.load(fromByteOffset: 4, as: UInt32.self)))
    let generation = unsafe UInt64(littleEndian: copy.load(fromByteOffset: 8, as: UInt64.self))
    guard wordCount <= capacity, generation > 0, generation < 1 << 62, Int(generation % 2) == index,
      unsafe UInt64(littleEndian: copy.load(fromByteOffset: 16, as: UInt64.self)) == key
    else { return nil }
    // The words are copied first and checked then: another process may be writing.
    let words = (0..<wordCount).map { at in
      unsafe UInt64(
        littleEndian: copy.load(fromByteOffset: Self.headerByteCount + at * 8, as: UInt64.self))
    }
    let checksum = unsafe UInt32(littleEndian: copy.load(as: UInt32.self))
    guard checksum == Self.checksum(generation: generation, key: key, words) else { return nil }
    return (generation, words)
  }

  private func isBlank(_ index: Int) -> Bool {
    let copy = unsafe UnsafeRawBufferPointer(
      start: memory + index * copyByteCount, count: Self.headerByteCount)
    return unsafe copy.allSatisfy { $0 == 0 }
  }

  /// Whether a copy is the first of all, and was being written: its checksum, which comes last, isn't there yet, and
  /// nothing is in the other one.
  private func isFirst(_ index: Int) -> Bool {
    unsafe isBlank(1 - index) && (memory + index * copyByteCount).load(as: UInt32.self) == 0
  }

  /// The checksum of a copy that lies in memory.
  private static func checksum(_ copy: UnsafeMutableRawPointer, wordCount: Int) -> UInt32 {
    let bytes = unsafe UnsafeRawBufferPointer(start: copy + 4, count: headerByteCount - 4 + wordCount * 8)
    return unsafe checksum(bytes)
  }

  /// The checksum of words that were copied out of a copy.
  private static func checksum(generation: UInt64, key: UInt64, _ words: [UInt64]) -> UInt32 {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(headerByteCount + words.count * 8)
    func append(_ value: some FixedWidthInteger) {
      unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }
    append(UInt32(words.count))
    append(generation)
    append(key)
    for word in words { append(word) }
    return unsafe bytes.withUnsafeBytes { unsafe checksum($0) }
  }

  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    unsafe UInt32(
      truncatingIfNeeded: crc32_z(0, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count))
  }
}
