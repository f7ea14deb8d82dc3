/// A list of actions on a spool.
struct SpoolScenario: CustomStringConvertible {
  /// An action, with numbers that are valid in any state, so that any step can be left out.
  enum Step {
    case append(count: Int, size: Int)
    case publish
    /// Takes this many of the bytes offered, even if they end in the middle of an entry.
    case take(bytes: Int, notes: Bool)
    /// Moves this many blocks to disk.
    case spill(count: Int)
    /// Moves a block to disk, and takes batches meanwhile, from the n-th system call on.
    case spillWhileTaking(count: Int, from: Int)
    /// Ends properly and begins again.
    case end
    /// Kills the process and begins again: between two steps, or before the n-th system call of a step.
    case kill
    case killInSpill(call: Int)
    case killInTake(call: Int)
    case killInEnd(call: Int)
    /// Damages a file, now or between this run and the next.
    case damage(Damage, isNow: Bool)
  }

  /// A kind of damage and the file; the numbers choose among the present files.
  enum Damage {
    case flip(file: Int, place: Int, bit: Int)
    case cut(file: Int, place: Int)
    case clear(file: Int, place: Int, length: Int)
    case lengthen(file: Int, by: Int)
    case remove(file: Int)
    case flipCursor(place: Int, bit: Int)
    case removeCursor
    case removeDirectory
  }

  let seed: UInt64
  var memoryBlocks: Int
  var diskBytes: Int
  var steps: [Step]

  init(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    self.seed = seed
    memoryBlocks = Int.random(in: 4...12, using: &generator)
    diskBytes = [24 << 10, 96 << 10, 1 << 20, 1 << 30].randomElement(using: &generator) ?? 0
    let length = Int.random(in: 5...90, using: &generator)
    // Only without damage are all numbers exact, so most scenarios have none.
    let isDamaged = Int.random(in: 0..<3, using: &generator) == 0
    steps = (0..<length).map { _ in Step.random(isDamaged: isDamaged, using: &generator) }
  }

  var description: String {
    let list = steps.map { "  .\($0)," }.joined(separator: "\n")
    return "seed \(seed), \(memoryBlocks) blocks of memory, \(diskBytes) bytes of disk:\n\(list)"
  }

  /// The shortest scenario that still fails: halves, quarters, … and single steps are left out.
  func shrunk(whileFailing fails: (SpoolScenario) -> Bool) -> SpoolScenario {
    var best = self
    var size = max(1, best.steps.count / 2)
    while true {
      var start = 0
      var hasShrunk = false
      while start < best.steps.count {
        var smaller = best
        smaller.steps.removeSubrange(start..<min(start + size, smaller.steps.count))
        if fails(smaller) {
          best = smaller
          hasShrunk = true
        } else {
          start += size
        }
      }
      if size == 1, !hasShrunk { return best }
      size = max(1, size / 2)
    }
  }
}

extension SpoolScenario.Step {
  static func random(
    isDamaged: Bool, using generator: inout SeededGenerator
  ) -> SpoolScenario.Step {
    func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    switch number(0...(isDamaged ? 29 : 25)) {
    case 0...6:
      let isLarge = number(0...15) == 0
      return .append(
        count: isLarge ? 1 : number(1...60), size: isLarge ? number(1000...12_000) : number(1...300))
    case 7...9: return .publish
    case 10...14:
      return .take(bytes: number(0...3) == 0 ? 1 << 20 : number(1...6000), notes: number(0...4) > 0)
    case 15...18: return .spill(count: number(1...6))
    case 19, 20: return .spillWhileTaking(count: number(1...3), from: number(1...6))
    case 21: return .end
    case 22: return .kill
    case 23: return .killInSpill(call: number(1...12))
    case 24: return .killInTake(call: number(1...4))
    case 25: return .killInEnd(call: number(1...40))
    default: return .damage(.random(using: &generator), isNow: number(0...2) == 0)
    }
  }
}

extension SpoolScenario.Damage {
  static func random(using generator: inout SeededGenerator) -> SpoolScenario.Damage {
    func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    let file = number(0...1000)
    let place = number(0...1 << 30)
    switch number(0...10) {
    case 0...3: return .flip(file: file, place: place, bit: number(0...7))
    case 4: return .cut(file: file, place: place)
    case 5: return .clear(file: file, place: place, length: number(1...5000))
    case 6: return .lengthen(file: file, by: number(1...5000))
    case 7: return .remove(file: file)
    case 8: return .flipCursor(place: place, bit: number(0...7))
    case 9: return .removeCursor
    default: return .removeDirectory
    }
  }
}
