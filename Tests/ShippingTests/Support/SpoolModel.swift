@testable import Shipping
@testable import Spool

/// Why a run was not what the model says.
struct ModelFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A spool as it is promised: a queue of entries, each of which will come, or may.
struct SpoolModel {
  /// An entry that was made visible and has not been taken whole.
  struct Expected {
    let entry: ModelEntry
    let sequence: Int
    /// Whether it must come; what was only in memory at a kill, or in a damaged place, may.
    var isCertain = true
  }

  /// The oldest first.
  private(set) var expected: [Expected] = []
  /// What was taken, or passed over, in this run and is not noted on disk as delivered.
  private(set) var unnoted: [Expected] = []
  /// What was taken ever, for when the note itself is damaged.
  private(set) var delivered: [Expected] = []
  /// The bytes of the entry that has been taken in part.
  private var begun: ArraySlice<UInt8> = []
  /// Committed and not published.
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

  /// So many entries of this run are visible now.
  mutating func publish(upTo count: Int) {
    let new = unpublished.prefix(count - (committedCount - unpublished.count))
    expected += new
    unpublished.removeFirst(new.count)
  }

  // MARK: The consumer

  /// Takes bytes as they come out of the spool; all of each entry must be what was put in, in order.
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
    // What was passed over may be found, and passed over, once more.
    unnoted += expected[...index]
    delivered.append(expected[index])
    expected.removeFirst(index + 1)
  }

  mutating func note() { unnoted = [] }

  /// Nothing more came.
  mutating func runDry() throws(ModelFailure) {
    if let missed = expected.first(where: \.isCertain) {
      throw ModelFailure("entry \(missed.entry.identifier) did not come")
    }
    unnoted += expected
    expected = []
  }

  /// How many entries must come, and how many may in all.
  var expectedCounts: ClosedRange<Int> { expected.count(where: \.isCertain)...expected.count }

  /// How many bytes are to come, if it is certain which.
  var expectedBytes: Int? {
    expected.allSatisfy(\.isCertain) ? expected.reduce(0) { $0 + $1.entry.size } : nil
  }

  // MARK: Between two runs

  /// The process was killed: what was only in memory may be gone, what was not noted may come again.
  mutating func crash(isOnDisk: (Int) -> Bool) {
    doubt { !isOnDisk($0) }
    expected += unpublished.map { Expected(entry: $0.entry, sequence: $0.sequence, isCertain: false) }
    repeatUncertainly(unnoted)
    unpublished = []
  }

  /// The run has ended well, but there wasn't room for everything.
  mutating func endWithoutRoom(isOnDisk: (Int) -> Bool) { doubt { !isOnDisk($0) } }

  /// Some entries were damaged.
  mutating func doubt(_ isDoubtful: (Int) -> Bool) {
    for index in expected.indices where isDoubtful(expected[index].sequence) {
      expected[index].isCertain = false
    }
  }

  /// What was delivered may come again, as far as it is still there.
  mutating func loseCursor(isOnDisk: (Int) -> Bool) {
    repeatUncertainly(delivered.filter { isOnDisk($0.sequence) })
  }

  private mutating func repeatUncertainly(_ again: [Expected]) {
    let known = Set(expected.map(\.entry.identifier))
    expected += again.filter { !known.contains($0.entry.identifier) }
      .map { Expected(entry: $0.entry, sequence: $0.sequence, isCertain: false) }
    // The numbers of what was lost are given away again, so they alone don't tell the order.
    expected.sort { ($0.sequence, $0.entry.identifier) < ($1.sequence, $1.entry.identifier) }
  }

  /// A new run begins, and finds what is on disk; what was in doubt and is not there is gone.
  mutating func begin(newSequence: Int, isOnDisk: (Int) -> Bool) {
    expected.removeAll { !$0.isCertain && !isOnDisk($0.sequence) }
    self.newSequence = newSequence
    committedCount = 0
    (begun, unnoted, unpublished) = ([], [], [])
  }
}

/// An entry that can be told from all others, and checked byte by byte.
struct ModelEntry: Equatable {
  static let terminator = UInt8(ascii: "\n")
  let identifier: Int
  let size: Int

  /// - Parameter size: how long it is, if that is enough to say which it is.
  init(identifier: Int, size: Int) {
    self.identifier = identifier
    self.size = max(size, Self.start(identifier, size).count + 1)
  }

  /// Reads an entry; nil if it isn't whole.
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
