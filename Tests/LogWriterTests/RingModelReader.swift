/// A reader of a ring by the rules of `shm-layout.md` 6.6, which loads one word in each step.
struct RingModelReader: Hashable {
  /// The reader's next action.
  enum Phase: UInt8, Hashable {
    case loadNewest, loadFirstRecord
    case check, loadWord, checkAhead, loadLength, loadPayload, validate
  }

  /// The result of a step.
  enum Outcome: Equatable {
    case goingOn
    /// The end mark: nothing more for now.
    case idle
    /// Words that were handed over as a whole record or batch.
    case delivered([UInt32])
    /// Words that were overwritten while they were read, and were discarded.
    case discarded
    case overrun
    /// A finding that no writer can cause.
    case damaged(String)
  }

  /// Whether it begins with the newest segment; after an overrun it begins with the oldest in any case.
  var startsAtTail = false
  private var phase = Phase.loadNewest
  private var newest: UInt32 = 0
  private var distance: UInt32 = 5
  private var position = 0
  private var segment: UInt32 = 0
  private var lentSegment: UInt32 = 0
  private var word: UInt32 = 0
  private var collected: [UInt32] = []
  private var size = 0

  private static var endMark: UInt32 { 0xFE45_4545 }
  private static var wrapMark: UInt32 { 0xFE57_5757 }
  private static var unsafeDistance: UInt32 { 6 }

  mutating func step(_ memory: ModelMemory, eighthWords: Int) -> Outcome {
    switch phase {
    case .loadNewest:
      newest = memory.segment
      distance = startsAtTail ? 0 : Self.unsafeDistance - 1
      startsAtTail = false
      phase = .loadFirstRecord
    case .loadFirstRecord:
      let start = memory.firstRecords[Int((newest &- distance) % 8)]
      if start < 0 {
        guard distance > 0 else { return .damaged("no segment has a first record") }
        distance -= 1
      } else {
        segment = newest &- distance
        position = start
        phase = .check
        // Values that are no longer needed are reset, so that they don't make equal states differ.
        newest = 0
        distance = 0
      }
    case .check:
      let ahead = memory.segment &- segment
      if ahead <= UInt32.max / 2, ahead >= Self.unsafeDistance {
        phase = .loadNewest
        return .overrun
      }
      phase = .loadWord
    case .loadWord:
      guard position < memory.words.count else { return .damaged("a position past the end") }
      word = memory.words[position]
      if word == Self.endMark {
        word = 0
        phase = .check
        return .idle
      }
      phase = .checkAhead
    case .checkAhead: return checkAhead(memory)
    case .loadLength:
      collected.append(memory.words[position + 1])
      return begin(2 + Int(collected[1] / 4), memory, eighthWords)
    case .loadPayload:
      collected.append(memory.words[position + collected.count])
      if collected.count == size { finish(eighthWords) }
    case .validate:
      let isIntact = memory.segment &- lentSegment < Self.unsafeDistance
      defer {
        phase = .check
        collected = []
        lentSegment = 0
      }
      return isIntact ? .delivered(collected) : .discarded
    }
    return .goingOn
  }

  private mutating func checkAhead(_ memory: ModelMemory) -> Outcome {
    let word = self.word
    self.word = 0
    if memory.segment &- segment > UInt32.max / 2 { return damage("ahead of the writer", memory) }
    if word == Self.wrapMark {
      guard position > 0 else { return damage("a wrap mark at the beginning", memory) }
      position = 0
      segment = (segment | 7) &+ 1
      phase = .check
      return .goingOn
    }
    let tag = word >> 24
    guard tag != 0, tag != 254 else { return damage("a record of tag \(tag)", memory) }
    collected = [word]
    if tag == 255 {
      guard position + 1 < memory.words.count else { return damage("no room for a batch", memory) }
      phase = .loadLength
      return .goingOn
    }
    return begin(2 + Int(word & 0xFFFF) / 4, memory, memory.words.count / 8)
  }

  private mutating func begin(_ size: Int, _ memory: ModelMemory, _ eighthWords: Int) -> Outcome {
    guard position + size <= memory.words.count else { return damage("a record past the end", memory) }
    self.size = size
    if collected.count == size { finish(eighthWords) } else { phase = .loadPayload }
    return .goingOn
  }

  private mutating func finish(_ eighthWords: Int) {
    lentSegment = segment
    position += size
    while min(position / eighthWords, 7) > Int(segment % 8) { segment &+= 1 }
    size = 0
    phase = .validate
  }

  /// Reports damage, unless the writer has come round and overwritten what looks damaged.
  private mutating func damage(_ problem: String, _ memory: ModelMemory) -> Outcome {
    collected = []
    size = 0
    let ahead = memory.segment &- segment
    if ahead >= Self.unsafeDistance, ahead <= UInt32.max / 2 {
      self = RingModelReader()
      return .overrun
    }
    return .damaged("\(problem) at word \(position)")
  }
}
