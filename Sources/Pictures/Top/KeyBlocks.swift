import Glibc

/// Stores keys of different lengths in blocks of one size, in memory that is allocated once.
///
/// A key is a chain of blocks, so that the blocks of a removed key serve any other key.
///
/// Sound because every block number that is followed was returned by `put`, which only uses numbers below
/// `count`, and a key is read for as many bytes as were put there.
@safe struct KeyBlocks: ~Copyable {
  /// The size of a block: the number of the next block, and a part of a key.
  private static let blockByteCount = 64
  private static let partByteCount = blockByteCount - 4
  /// The number that stands for no block.
  static let none = UInt32.max

  private let memory: UnsafeMutableRawPointer
  private let count: UInt32
  private var firstFree = KeyBlocks.none
  /// How many blocks were ever in use: those after them are in no chain yet, and take no physical memory.
  private var usedCount: UInt32 = 0
  /// How many blocks are free.
  private(set) var freeCount: Int

  init(count: Int) {
    let count = max(1, min(count, Int(Int32.max)))
    self.count = UInt32(count)
    freeCount = count
    unsafe memory = .allocate(byteCount: count * Self.blockByteCount, alignment: 8)
  }

  deinit { unsafe memory.deallocate() }

  /// How many blocks a key takes; an empty key takes one.
  static func count(for byteCount: Int) -> Int { max(1, (byteCount + partByteCount - 1) / partByteCount) }

  /// Stores a key, for which there must be enough free blocks.
  ///
  /// - Returns: the key's first block.
  mutating func put(_ key: UnsafeRawBufferPointer) -> UInt32 {
    precondition(Self.count(for: key.count) <= freeCount, "blocks for the key")
    let first = take()
    var block = first
    var done = 0
    while true {
      let part = min(Self.partByteCount, key.count - done)
      let at = unsafe address(block)
      if part > 0, let base = key.baseAddress {
        unsafe (at + 4).copyMemory(from: base + done, byteCount: part)
      }
      done += part
      let next = done < key.count ? take() : Self.none
      unsafe at.storeBytes(of: next, as: UInt32.self)
      if next == Self.none { return first }
      block = next
    }
  }

  /// Whether a stored key is equal to this one, which must have the same length.
  func holds(_ key: UnsafeRawBufferPointer, from first: UInt32) -> Bool {
    guard let base = key.baseAddress else { return unsafe key.isEmpty }
    var block = first
    var done = 0
    while done < key.count {
      let part = min(Self.partByteCount, key.count - done)
      let at = unsafe address(block)
      guard unsafe memcmp(at + 4, base + done, part) == 0 else { return false }
      done += part
      block = unsafe at.load(as: UInt32.self)
    }
    return true
  }

  /// A stored key.
  func bytes(from first: UInt32, count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    var block = first
    while bytes.count < count {
      let part = min(Self.partByteCount, count - bytes.count)
      let at = unsafe address(block)
      unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: at + 4, count: part))
      block = unsafe at.load(as: UInt32.self)
    }
    return bytes
  }

  /// Frees a key's blocks.
  mutating func remove(from first: UInt32) {
    var block = first
    while block != Self.none {
      let at = unsafe address(block)
      let next = unsafe at.load(as: UInt32.self)
      unsafe at.storeBytes(of: firstFree, as: UInt32.self)
      firstFree = block
      freeCount += 1
      block = next
    }
  }

  private mutating func take() -> UInt32 {
    freeCount -= 1
    guard firstFree == Self.none else {
      let block = firstFree
      firstFree = unsafe address(block).load(as: UInt32.self)
      return block
    }
    defer { usedCount += 1 }
    return usedCount
  }

  private func address(_ block: UInt32) -> UnsafeMutableRawPointer {
    precondition(block < count)
    return unsafe memory + Int(block) * Self.blockByteCount
  }
}
