@testable import Shipping
@testable import Spool

/// A difference between a run and the model.
struct ModelFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A model of the spool's promises: a queue of entries, each of which must come or may come.
struct SpoolModel {
  /// An entry that was published and has not been taken completely.
  struct Expected {
    let entry: ModelEntry
    let sequence: Int
    /// Whether the entry must come; an entry that was only in memory at a kill, or in a damaged place, may
    /// come.
    var isCertain = true
  }

  /// The expected entries, the oldest first.
  private(set) var expected: [Expected] = []
  /// Entries that were taken or passed over in this run, and aren't noted on disk as delivered.
  private(set) var unnoted: [Expected] = []
  /// All entries that were ever taken, needed when the note itself is damaged.
  private(set) var delivered: [Expected] = []
  /// The rest of the entry that has been taken in part.
  private var begun: ArraySlice<UInt8> = []
  /// Entries that are committed, but not published.
  private(set) var unpublished: [Expected] = []
  private(set) var committedCount = 0
  private var newSequence = 0
  private var nextIdentifier = 0

  // MARK: The producer

  mutating func makeEntry(size: Int) -> ModelEntry {
    nextIdentifier += 1
    return ModelEntry(identifier: nextIdentifier, size: size)
  }

  mutating func commit(_ entry: ModelEntry) {
    unpublished.append(Expected(entry: entry, sequence: newSequence + committedCount))
    committedCount += 1
  }

  /// Publishes the entries of this run up to a count.
  mutating func publish(upTo count: Int) {
    let new = unpublished.prefix(count - (committedCount - unpublished.count))
    expected += new
    unpublished.removeFirst(new.count)
  }

  // MARK: The consumer

  /// Takes bytes as they come out of the spool; each entry must be complete and equal to the one put in, in
  /// order.
  mutating func take(_ bytes: some Sequence<UInt8>) throws(ModelFailure) -> Tally {
    begun += bytes
    var completed = Tally.zero
    while let end = begun.firstIndex(of: ModelEntry.terminator) {
      completed += Tally(entries: 1, bytes: end + 1 - begun.startIndex)
      try complete(Array(begun[...end]))
      begun = begun[(end + 1)...]
    }
    begun = ArraySlice(Array(begun))
    return completed
  }

  private mutating func complete(_ bytes: [UInt8]) throws(ModelFailure) {
    guard let entry = ModelEntry(bytes) else {
      throw ModelFailure("a torn entry: \(String(decoding: bytes.prefix(60), as: UTF8.self))")
    }
    guard let index = expected.firstIndex(where: { $0.entry == entry }) else {
      throw ModelFailure("entry \(entry.identifier) came, which was not to come, or not again")
    }
    if let missed = expected[..<index].first(where: \.isCertain) {
      throw ModelFailure("entry \(entry.identifier) came instead of \(missed.entry.identifier)")
    }
    // Entries that were passed over may be found, and passed over, once more.
    unnoted += expected[...index]
    delivered.append(expected[index])
    expected.removeFirst(index + 1)
  }

  mutating func note() { unnoted = [] }

  /// Notes that no more bytes came.
  mutating func runDry() throws(ModelFailure) {
    if let missed = expected.first(where: \.isCertain) {
      throw ModelFailure("entry \(missed.entry.identifier) did not come")
    }
    unnoted += expected
    expected = []
  }

  /// How many entries must come, and how many may come at most.
  var expectedCounts: ClosedRange<Int> { expected.count(where: \.isCertain)...expected.count }

  /// How many bytes must come; nil if it isn't certain which entries come.
  var expectedBytes: Int? {
    expected.allSatisfy(\.isCertain) ? expected.reduce(0) { $0 + $1.entry.size } : nil
  }

  // MARK: Between two runs

  /// Models a kill: entries that were only in memory may be gone, and entries not noted as delivered may come
  /// again.
  mutating func crash(isOnDisk: (Int) -> Bool) {
    doubt { !isOnDisk($0) }
    expected += unpublished.map { Expected(entry: $0.entry, sequence: $0.sequence, isCertain: false) }
    repeatUncertainly(unnoted)
    unpublished = []
  }

  /// Models an orderly end without room for all entries.
  mutating func endWithoutRoom(isOnDisk: (Int) -> Bool) { doubt { !isOnDisk($0) } }

  /// Marks entries as uncertain, because they were damaged.
  mutating func doubt(_ isDoubtful: (Int) -> Bool) {
    for index in expected.indices where isDoubtful(expected[index].sequence) {
      expected[index].isCertain = false
    }
  }

  /// Models the loss of the note: delivered entries may come again if they are still on disk.
  mutating func loseCursor(isOnDisk: (Int) -> Bool) {
    repeatUncertainly(delivered.filter { isOnDisk($0.sequence) })
  }

  private mutating func repeatUncertainly(_ again: [Expected]) {
    let known = Set(expected.map(\.entry.identifier))
    expected += again.filter { !known.contains($0.entry.identifier) }
      .map { Expected(entry: $0.entry, sequence: $0.sequence, isCertain: false) }
    // The sequences of lost entries are given to new ones, so they alone don't determine the order.
    expected.sort { ($0.sequence, $0.entry.identifier) < ($1.sequence, $1.entry.identifier) }
  }

  /// Models the start of a run, which finds what is on disk; uncertain entries that aren't there are gone.
  mutating func begin(newSequence: Int, isOnDisk: (Int) -> Bool) {
    expected.removeAll { !$0.isCertain && !isOnDisk($0.sequence) }
    self.newSequence = newSequence
    committedCount = 0
    (begun, unnoted, unpublished) = ([], [], [])
  }
}

/// An entry that differs from all others and can be checked byte by byte.
struct ModelEntry: Equatable {
  static let terminator = UInt8(ascii: "\n")
  let identifier: Int
  let size: Int

  /// - Parameter size: the length of the entry, if that is enough to contain the identifier.
  init(identifier: Int, size: Int) {
    self.identifier = identifier
    self.size = max(size, Self.start(identifier, size).count + 1)
  }

  /// Parses an entry; nil if it isn't whole.
  init?(_ bytes: [UInt8]) {
    let fields = bytes.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3, let identifier = Int(String(decoding: fields[0], as: UTF8.self)),
      let size = Int(String(decoding: fields[1], as: UTF8.self))
    else { return nil }
    self.init(identifier: identifier, size: size)
    guard self.bytes == bytes else { return nil }
  }

  private static func start(_ identifier: Int, _ size: Int) -> [UInt8] {
    Array("\(identifier) \(size) ".utf8)
  }

  var bytes: [UInt8] {
    let start = Self.start(identifier, size)
    let shift = identifier % 26
    return start + Self.filling[shift..<shift + size - 1 - start.count] + [Self.terminator]
  }

  private static let filling = (0..<20_000).map { UInt8(ascii: "a") + UInt8($0 % 26) }
}
