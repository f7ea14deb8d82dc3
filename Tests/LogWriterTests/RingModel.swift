import LogWriting

/// A store by a writer.
enum ModelStore: Equatable {
  case word(UInt32, at: Int, releasing: Bool)
  case firstRecord(Int, slot: Int)
  case segment(UInt32)
  case fence

  /// Whether all stores before this one must be visible before it.
  var isReleasing: Bool {
    switch self {
    case .word(_, _, let releasing): releasing
    case .segment: true
    case .firstRecord, .fence: false
    }
  }

  /// Whether both stores are to the same place.
  func collides(with other: ModelStore) -> Bool {
    switch (self, other) {
    case (.word(_, let a, _), .word(_, let b, _)): a == b
    case (.firstRecord(_, let a), .firstRecord(_, let b)): a == b
    case (.segment, .segment): true
    default: false
    }
  }
}

/// A ring's memory that records the stores made to it.
final class StoreList: RingMemory {
  private(set) var stores: [ModelStore] = []

  func take() -> [ModelStore] {
    defer { stores = [] }
    return stores
  }

  func store(_ word: UInt32, at index: Int) { stores.append(.word(word, at: index, releasing: false)) }

  func storeReleasing(_ word: UInt32, at index: Int) {
    stores.append(.word(word, at: index, releasing: true))
  }

  func copy(_ words: UnsafeRawBufferPointer, to index: Int) {
    for offset in stride(from: 0, to: words.count, by: 4) {
      store(words.load(fromByteOffset: offset, as: UInt32.self), at: index + offset / 4)
    }
  }

  func storeFirstRecord(_ index: Int, ofSegment slot: Int) {
    stores.append(.firstRecord(index, slot: slot))
  }

  func storeSegmentReleasing(_ number: UInt32) { stores.append(.segment(number)) }

  func fence() { stores.append(.fence) }
}

/// The memory that readers see.
struct ModelMemory {
  var words: [UInt32]
  var firstRecords = [Int](repeating: -1, count: 8)
  var segment: UInt32 = 0

  mutating func apply(_ store: ModelStore) {
    switch store {
    case .word(let value, let index, _): words[index] = value
    case .firstRecord(let index, let slot): firstRecords[slot] = index
    case .segment(let number): segment = number
    case .fence: break
    }
  }
}

/// A piece that a writer appends: its words, and the stores that write them.
struct ModelPiece {
  let words: [UInt32]
  let reservation: RingReservation
  /// The stores in order; the first `lockedCount` are made with the lock held.
  var stores: [ModelStore]
  var lockedCount: Int
}

/// Records that a model's writers append in turn: some by themselves, some in a batch.
struct ModelLog {
  let eighthWords: Int
  let setUp: [ModelStore]
  var pieces: [ModelPiece] = []
  /// The writer's state before each piece.
  private(set) var appenders: [RingAppender<StoreList>] = []
  let memory: StoreList
  let pins: RingPins

  /// - Parameter sizes: the words of each piece: 3 and more for a record, 5 and more for a batch if negative.
  init(eighthWords: Int, sizes: [Int]) {
    self.eighthWords = eighthWords
    memory = StoreList()
    pins = RingPins()
    var appender = RingAppender(memory, eighthWords: eighthWords, pins: pins)
    appender.setUp()
    setUp = memory.take()
    for (number, size) in sizes.enumerated() {
      appenders.append(appender)
      let words = size > 0 ? Self.record(number, size) : Self.batch(number, -size)
      guard let reservation = appender.reserve(words.count) else { preconditionFailure("nothing is pinned") }
      let locked = memory.take()
      words.withUnsafeBytes { memory.publish($0, at: reservation.start) }
      pins.unpin(reservation.eighths)
      pieces.append(
        ModelPiece(
          words: words, reservation: reservation, stores: locked + memory.take(), lockedCount: locked.count))
    }
  }

  /// The memory before the first piece.
  var emptyMemory: ModelMemory {
    var memory = ModelMemory(words: [UInt32](repeating: 0, count: eighthWords * 8))
    for store in setUp { memory.apply(store) }
    return memory
  }

  /// Whether the writer would reserve a piece while others are unfinished.
  func canReserve(_ number: Int, unfinished: [Int]) -> Bool {
    for other in unfinished { pins.pin(pieces[other].reservation.eighths) }
    defer { for other in unfinished { pins.unpin(pieces[other].reservation.eighths) } }
    var appender = appenders[number]
    guard let reservation = appender.reserve(pieces[number].words.count) else { return false }
    pins.unpin(reservation.eighths)
    _ = memory.take()
    return true
  }

  /// A record whose words all identify the number: a header of 2, and `size - 2` of payload.
  private static func record(_ number: Int, _ size: Int) -> [UInt32] {
    let payload = (2..<size).map { UInt32(number) << 8 | UInt32($0) }
    return [UInt32(7) << 24 | UInt32(payload.count * 4), UInt32(number)] + payload
  }

  private static func batch(_ number: Int, _ size: Int) -> [UInt32] {
    let record = record(number, size - 2)
    return [UInt32(255) << 24, UInt32(record.count * 4)] + record
  }
}
