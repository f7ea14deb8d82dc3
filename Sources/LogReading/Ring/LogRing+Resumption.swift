import CShims
import VarnishLog

/// Going on where reading had stopped, perhaps in another process (`shm-layout.md` 6.6).
///
/// A stored position is a claim: it may be made up, and the ring may have been overwritten there, or be
/// overwritten while this looks. So the segment's records are walked from the first one, whose place the ring
/// tells, up to the position; what was read on the way counts only if the segment is still whole afterwards.
extension LogRing {
  /// Moves to a position if the ring still holds it, else to the oldest record that it holds.
  mutating func resume(at target: LogPosition) -> LogResumption {
    guard target.incarnation == incarnation else {
      moveToHead()
      return .otherIncarnation
    }
    let (present, presentHead) = (segment, head)
    let (turn, byte) = target.place.quotientAndRemainder(dividingBy: UInt64(byteCount))
    // byte is less than the ring has, and so is what follows from it.
    let word = Int(byte / 4)
    head.count(fromTurn: turn)
    nextWord = word
    segment = turn &* 8 &+ UInt64(min(word / segmentWords, 7))
    if !isAhead, byte % 4 == 0 {
      switch find(word) {
      case .held(let start):
        nextWord = start
        segment = turn &* 8 &+ UInt64(min(start / segmentWords, 7))
        return .held
      case .overwritten: return .overrun(lostBytes: skipGap())
      case .absent: break
      }
    }
    (segment, head) = (present, presentHead)
    moveToHead()
    return .noSuchPlace
  }

  private enum Finding {
    /// Reading can start at this word.
    case held(start: Int)
    case overwritten
    case absent
  }

  /// Looks for the record that begins at a word of the present segment, or the end of the last one.
  private func find(_ word: Int) -> Finding {
    // What begins in a segment may reach over the beginning of the next ones, and then their first record is
    // behind the word.
    for index in 0...segment % 8 {
      let origin = segment - index
      guard writerDistance(from: origin) < Self.unsafeDistance else { return .overwritten }
      guard let first = firstRecord(of: origin), first <= word else { continue }
      let start = walk(from: first, to: word)
      guard writerDistance(from: origin) < Self.unsafeDistance else { return .overwritten }
      return start.map { .held(start: $0) } ?? .absent
    }
    return .absent
  }

  /// Walks over records until one begins at a word.
  ///
  /// - Returns: where to start reading so that this record comes first: the word, or the header of the batch
  ///   that begins with it; nil if none begins there.
  private func walk(from first: Int, to word: Int) -> Int? {
    let headerWords = Layout.headerByteCount / 4
    var at = first
    while at < word {
      guard ringWords - at >= headerWords else { return nil }
      let header = unsafe shim_load_acquire_u32(ring + at * 4)
      switch RecordHeader.tag(header) {
      case 0, 254: return nil
      case RecordHeader.batchTag:
        if at + headerWords == word { return at }
        let byteCount = unsafe Int(shim_load_acquire_u32(ring + at * 4 + 4))
        at += headerWords
        // A batch is passed over, unless the word is inside it.
        if byteCount <= (word - at) * 4 { at += (byteCount + 3) / 4 }
      default: at += Record<Layout>.byteCount(header) / 4
      }
    }
    return at == word ? at : nil
  }
}
