import Glibc

/// Finds the most frequent keys of a stream in memory that doesn't grow with it: a heavy-hitters sketch.
///
/// A table holds as many keys as it has slots. When it is full, the lightest quarter is removed, and the
/// heaviest weight among the removed keys is the `floor`: no key that isn't in the table can have a greater
/// weight. A key that is added gets the current floor as its `error`: the weight that it may have had before.
/// So `weight <= true <= weight + error` holds for every key, at any time.
///
/// That is Misra and Gries' algorithm, with its decrements kept as one number and applied to a quarter of the
/// table at a time; by their proof the floor is at most 4/3 of the total weight divided by the number of
/// slots. The heaviest keys are added early, when the floor is still low, and stay, so that their error is
/// far less (`Documentation/pictures.md`).
///
/// Sound because slots are only accessed by numbers below `capacity`, which the index and the list of free
/// slots hold, and all memory is allocated for that many slots.
@safe package struct HeavyHitters: ~Copyable {
  /// The table's size, and what it keeps of each key.
  package struct Options: Sendable {
    /// The number of keys.
    package var capacity = 8192
    /// How many bytes of a key are kept at most; longer keys with the same hash and length count as the same
    /// key.
    package var keyBytesMax = 240
    /// The bytes per key for which there is memory on average; with longer keys, fewer are held.
    package var keyBytesMean = 120
    /// Whether the times of each key are kept.
    package var keepsTimes = true

    package init() {}
  }

  /// The figures of one arrival of a key.
  package struct Figures: Sendable {
    /// Bytes that were sent.
    package var bytes: UInt64 = 0
    /// A time in microseconds; nil if there is none.
    package var microseconds: UInt64?
    /// Whether the arrival was a miss.
    package var isMiss = false

    package init() {}
  }

  private struct Slot {
    var hash: UInt64
    /// The weight since the key was added, and the most that it may have had before; in units of that time.
    var weight: Double, error: Double
    var bytes: Double, misses: Double
    /// The first block of the key; none if the slot is free.
    var firstBlock: UInt32
    var keyByteCount: UInt32
    var keptByteCount: UInt16
    var kind: UInt8
  }

  /// The buckets for times: exact to an eighth, from a microsecond to half a minute.
  static let timeBuckets = LogBuckets(bits: 2, valueBits: 25)

  private let options: Options
  private let hash = KeyHash()
  private let slots: UnsafeMutablePointer<Slot>
  /// For each slot, the count of times in each bucket.
  private let times: UnsafeMutablePointer<UInt16>?
  /// Slot numbers by hash, with linear probing; the size is a power of two, and at least twice the number of
  /// slots.
  private let index: UnsafeMutablePointer<UInt32>
  private let indexMask: Int
  private let freeSlots: UnsafeMutablePointer<UInt32>
  private var freeCount: Int
  private let scratch: UnsafeMutablePointer<Double>
  private var blocks: KeyBlocks

  /// The weight of one arrival; it grows if earlier arrivals fade.
  private var unit = 1.0
  private var flooredAt = 0.0
  private var total = 0.0

  package init(_ options: Options = Options()) {
    var options = options
    options.capacity = max(8, min(options.capacity, 1 << 24))
    options.keyBytesMax = max(1, min(options.keyBytesMax, Int(UInt16.max)))
    self.options = options
    let capacity = options.capacity
    unsafe slots = .allocate(capacity: capacity)
    unsafe times = options.keepsTimes ? .allocate(capacity: capacity * Self.timeBuckets.count) : nil
    var indexCount = 16
    while indexCount < 2 * capacity { indexCount *= 2 }
    unsafe index = .allocate(capacity: indexCount)
    indexMask = indexCount - 1
    unsafe freeSlots = .allocate(capacity: capacity)
    unsafe scratch = .allocate(capacity: capacity)
    unsafe index.initialize(repeating: .max, count: indexCount)
    for slot in 0..<capacity { unsafe freeSlots[slot] = UInt32(capacity - 1 - slot) }
    freeCount = capacity
    // There must be room for a key of the largest size once all others are removed.
    let least = KeyBlocks.count(for: options.keyBytesMax)
    blocks = KeyBlocks(count: max(least, capacity * KeyBlocks.count(for: options.keyBytesMean)))
  }

  deinit {
    unsafe slots.deallocate()
    unsafe times?.deallocate()
    unsafe index.deallocate()
    unsafe freeSlots.deallocate()
    unsafe scratch.deallocate()
  }

  /// How many keys are held.
  package var count: Int { options.capacity - freeCount }

  /// The weight of all arrivals, in present arrivals.
  package var totalWeight: Double { total / unit }

  /// The most that a key that isn't held can have, in present arrivals.
  package var floor: Double { flooredAt / unit }

  // MARK: Adding

  /// Adds an arrival of a key.
  ///
  /// - Parameter kind: keys of different kinds are different keys.
  package mutating func add(_ key: UnsafeRawBufferPointer, kind: UInt8 = 0, _ figures: Figures) {
    let hash = unsafe hash(key, kind: kind)
    let slot = unsafe find(key, kind, hash) ?? insert(key, kind, hash)
    total += unit
    unsafe slots[slot].weight += unit
    if figures.bytes > 0 { unsafe slots[slot].bytes += Double(figures.bytes) * unit }
    if figures.isMiss { unsafe slots[slot].misses += unit }
    if let microseconds = figures.microseconds, let times = unsafe times {
      let bucket = slot * Self.timeBuckets.count + Self.timeBuckets.index(of: microseconds)
      if unsafe times[bucket] == .max { halveTimes(slot) }
      unsafe times[bucket] += 1
    }
  }

  private func find(_ key: UnsafeRawBufferPointer, _ kind: UInt8, _ hash: UInt64) -> Int? {
    var at = Int(truncatingIfNeeded: hash) & indexMask
    while true {
      let number = unsafe index[at]
      if number == .max { return nil }
      let slot = unsafe slots + Int(number)
      if unsafe slot.pointee.hash == hash,
        unsafe slot.pointee.keyByteCount == UInt32(truncatingIfNeeded: key.count),
        unsafe slot.pointee.kind == kind
      {
        let kept = unsafe UnsafeRawBufferPointer(rebasing: key[..<Int(slot.pointee.keptByteCount)])
        if unsafe blocks.holds(kept, from: slot.pointee.firstBlock) { return Int(number) }
      }
      at = (at + 1) & indexMask
    }
  }

  private mutating func insert(_ key: UnsafeRawBufferPointer, _ kind: UInt8, _ hash: UInt64) -> Int {
    let keptCount = min(key.count, options.keyBytesMax)
    while freeCount == 0 || blocks.freeCount < KeyBlocks.count(for: keptCount) { purge() }
    freeCount -= 1
    let number = unsafe freeSlots[freeCount]
    let kept = unsafe UnsafeRawBufferPointer(rebasing: key[..<keptCount])
    unsafe (slots + Int(number)).initialize(
      to: Slot(
        hash: hash, weight: 0, error: flooredAt, bytes: 0, misses: 0, firstBlock: blocks.put(kept),
        keyByteCount: UInt32(truncatingIfNeeded: key.count), keptByteCount: UInt16(keptCount), kind: kind))
    if let times = unsafe times {
      let bucketCount = Self.timeBuckets.count
      unsafe (times + Int(number) * bucketCount).initialize(repeating: 0, count: bucketCount)
    }
    enter(number, hash)
    return Int(number)
  }

  @inline(__always)
  private func enter(_ number: UInt32, _ hash: UInt64) {
    var at = Int(truncatingIfNeeded: hash) & indexMask
    while unsafe index[at] != .max { at = (at + 1) & indexMask }
    unsafe index[at] = number
  }

  // MARK: Making room

  /// Removes the lightest quarter of the keys, and all keys that weigh no more than the heaviest of them.
  @inline(never)
  private mutating func purge() {
    let held = collectHeld()
    guard !held.isEmpty else { return }
    for (place, number) in held.enumerated() { unsafe scratch[place] = bound(Int(number)) }
    let limit = unsafe Self.smallest(
      held.count / 4, of: UnsafeMutableBufferPointer(start: scratch, count: held.count))
    flooredAt = max(flooredAt, limit)
    unsafe index.update(repeating: .max, count: indexMask + 1)
    for number in held {
      let slot = unsafe slots + Int(number)
      if bound(Int(number)) <= limit {
        unsafe blocks.remove(from: slot.pointee.firstBlock)
        unsafe slot.pointee.firstBlock = KeyBlocks.none
        unsafe freeSlots[freeCount] = number
        freeCount += 1
      } else {
        unsafe enter(number, slot.pointee.hash)
      }
    }
  }

  /// The most that a held key can have.
  private func bound(_ slot: Int) -> Double { unsafe slots[slot].weight + slots[slot].error }

  /// The slots in use, from the index, which has each of them once.
  private func collectHeld() -> [UInt32] {
    var held: [UInt32] = []
    held.reserveCapacity(count)
    for at in 0...indexMask where unsafe index[at] != .max { unsafe held.append(index[at]) }
    return held
  }

  /// The number with a rank, from 0, among numbers in ascending order; reorders the numbers.
  private static func smallest(_ rank: Int, of numbers: UnsafeMutableBufferPointer<Double>) -> Double {
    var (low, high) = (0, numbers.count - 1)
    while low < high {
      let pivot = unsafe numbers[low + (high - low) / 2]
      var (left, right) = (low, high)
      while left <= right {
        while unsafe numbers[left] < pivot { left += 1 }
        while unsafe numbers[right] > pivot { right -= 1 }
        if left <= right {
          unsafe numbers.swapAt(left, right)
          left += 1
          right -= 1
        }
      }
      if rank <= right { high = right } else if rank >= left { low = left } else { break }
    }
    return unsafe numbers[rank]
  }

  // MARK: Fading

  /// Reduces the weight of all earlier arrivals to a part of it.
  package mutating func fade(to part: Double) {
    guard part > 0, part < 1 else { return }
    unit /= part
    if unit > 1e9 { rescale() }
  }

  /// Divides all weights by that of an arrival, before they become too large to be exact.
  private mutating func rescale() {
    for number in collectHeld() {
      let slot = unsafe slots + Int(number)
      unsafe slot.pointee.weight /= unit
      unsafe slot.pointee.error /= unit
      unsafe slot.pointee.bytes /= unit
      unsafe slot.pointee.misses /= unit
    }
    flooredAt /= unit
    total /= unit
    unit = 1
  }

  /// Halves the counts of times noted so far.
  package mutating func fadeTimes() {
    for number in collectHeld() { halveTimes(Int(number)) }
  }

  private func halveTimes(_ slot: Int) {
    guard let times = unsafe times else { return }
    let first = unsafe times + slot * Self.timeBuckets.count
    for bucket in 0..<Self.timeBuckets.count { unsafe first[bucket] >>= 1 }
  }

  // MARK: Looking

  /// A key with its figures at a moment.
  package struct Hitter: Sendable, Equatable {
    /// The key's bytes, as far as they are kept.
    package let key: [UInt8]
    /// The key's full length in bytes.
    package let keyByteCount: Int
    package let kind: UInt8
    /// The least number of arrivals.
    package let count: Double
    /// By how many arrivals the true number may be larger.
    package let error: Double
    /// Bytes and misses of the counted arrivals.
    package let bytes: Double, misses: Double
    /// The 99th percentile of the times in microseconds; nil if there are none.
    package let p99: Double?

    /// The largest number of arrivals.
    package var countMax: Double { count + error }
  }

  /// The heaviest keys, the heaviest first; keys of equal weight by their kinds and bytes, so that the same
  /// log gives the same order each time.
  ///
  /// - Parameters:
  ///   - limit: the number of keys; more are returned if others weigh the same as the last.
  ///   - isWanted: which keys are considered.
  package func heaviest(
    _ limit: Int, where isWanted: (_ key: [UInt8], _ kind: UInt8) -> Bool = { _, _ in true }
  )
    -> [Hitter]
  {
    let held = collectHeld().sorted { unsafe slots[Int($0)].weight > slots[Int($1)].weight }
    var found: [Hitter] = []
    for number in held {
      let slot = unsafe slots[Int(number)]
      if found.count >= limit, let last = found.last, slot.weight / unit < last.count { break }
      let key = blocks.bytes(from: slot.firstBlock, count: Int(slot.keptByteCount))
      guard isWanted(key, slot.kind) else { continue }
      found.append(
        Hitter(
          key: key, keyByteCount: Int(slot.keyByteCount), kind: slot.kind, count: slot.weight / unit,
          error: slot.error / unit, bytes: slot.bytes / unit, misses: slot.misses / unit,
          p99: percentile99(Int(number))))
    }
    return found.sorted { one, other in
      if one.count != other.count { return one.count > other.count }
      if one.kind != other.kind { return one.kind < other.kind }
      return one.key.lexicographicallyPrecedes(other.key)
    }
  }

  private func percentile99(_ slot: Int) -> Double? {
    guard let times = unsafe times else { return nil }
    let first = unsafe times + slot * Self.timeBuckets.count
    var sum = 0
    for bucket in 0..<Self.timeBuckets.count { unsafe sum += Int(first[bucket]) }
    guard sum > 0 else { return nil }
    // The number of times up to the percentile.
    var left = (sum * 99 + 99) / 100
    for bucket in 0..<Self.timeBuckets.count {
      unsafe left -= Int(first[bucket])
      if left <= 0 { return Self.timeBuckets.middle(of: bucket) }
    }
    return nil
  }
}
