import SharedMemory
import VarnishLog

/// The copy of a ring of 4.0 and later: where its segments are, by its head (`shm-layout.md` 6.2, 6.3).
struct RingImage {
  /// The kinds of heads, by their markers.
  enum Head: UInt64, Sendable {
    /// `VSLHEAD0`, 4.0
    case v40 = 0x3044_4145_484C_5356
    /// `VSLHEAD1`, 4.1 to 7.2
    case v41 = 0x3144_4145_484C_5356
    /// `VSLHEAD2`, 7.3 and later
    case v73 = 0x3244_4145_484C_5356

    /// The size of the head in bytes, behind which the ring's first word is.
    var byteCount: Int { self == .v40 ? 80 : RingLayout.byteCount }
    /// Where the head says at which word each segment's first record begins.
    var firstRecordsOffset: Int { self == .v40 ? 8 : RingLayout.firstRecordsOffset }
  }

  let head: Head
  /// How many words a segment has.
  let segmentWords: Int
  /// The segment that was being written.
  private(set) var current: Int
  /// The word at which each segment's first record begins; nil if none was ever written there.
  let firsts: [Int?]

  /// Where the head is in the mapping.
  let origin: Int

  static let segmentCount = 8
  /// How many words the ring has; in 4.0 with those that eight segments leave at the end.
  let words: Int
  /// Where the ring's first word is in the mapping, and where the ring ends.
  var start: Int { origin + head.byteCount }
  var end: Int { start + words * 4 }

  /// Reads a head.
  ///
  /// - Parameter range: where in the mapping the log is, as far as that is known; more of it may have been cut off.
  /// - Throws: `LogError.damaged` if it doesn't describe a ring.
  init(
    _ mapping: borrowing ReadOnlyMapping, at range: Range<Int>, path: String, isDecoded: Bool
  ) throws(LogError) {
    func damaged(_ offset: Int, _ problem: String) -> LogError {
      .damaged(path: path, offset: range.lowerBound + offset, isDecoded: isDecoded, problem: problem)
    }
    let available = min(range.upperBound, mapping.byteCount) - range.lowerBound
    guard range.lowerBound >= 0, available > RingLayout.byteCount else {
      throw damaged(0, "\(max(0, available)) bytes are too few for a log")
    }
    let base = unsafe mapping.base + range.lowerBound
    guard let head = unsafe Head(rawValue: base.loadUnaligned(as: UInt64.self)) else {
      throw damaged(0, "no marker of a log (VSLHEAD0 to VSLHEAD2)")
    }
    self.head = head
    origin = range.lowerBound
    let most = (range.count - head.byteCount) / 4 / Self.segmentCount
    if head == .v40 {
      // The head of 4.0 doesn't say how long a segment is.
      segmentWords = most
      current = unsafe min(
        Int(base.loadUnaligned(fromByteOffset: 72, as: UInt32.self)), Self.segmentCount - 1)
    } else {
      segmentWords = unsafe base.loadUnaligned(fromByteOffset: RingLayout.segmentSizeOffset, as: Int.self)
      current = unsafe Int(
        base.loadUnaligned(fromByteOffset: RingLayout.segmentNumberOffset, as: UInt32.self) % 8)
    }
    guard segmentWords > 0, segmentWords <= max(most, Self.wordsMax) else {
      throw damaged(
        RingLayout.segmentSizeOffset,
        "a segment size of \(segmentWords) words doesn't fit a log of \(range.count) bytes")
    }
    let words =
      head == .v40 ? (range.count - head.byteCount) / 4 : segmentWords * Self.segmentCount
    self.words = words
    firsts = (0..<Self.segmentCount).map { index in
      let word = unsafe base.loadUnaligned(fromByteOffset: head.firstRecordsOffset + index * 8, as: Int.self)
      return word >= 0 && word < words ? word : nil
    }
  }

  /// Prepares for searching a ring whose head is damaged: all of it is one piece.
  ///
  /// - Parameter head: the kind of head that the ring has, even if its marker is damaged.
  init?(searching mapping: borrowing ReadOnlyMapping, at range: Range<Int>, _ head: Head) {
    let words = (range.count - head.byteCount) / 4
    guard range.lowerBound >= 0, words >= Self.segmentCount,
      range.lowerBound + head.byteCount < mapping.byteCount
    else { return nil }
    self.head = head
    origin = range.lowerBound
    segmentWords = words / Self.segmentCount
    current = Self.segmentCount - 1
    self.words = words
    firsts = [0] + Array(repeating: nil, count: Self.segmentCount - 1)
  }

  /// The most words that a segment may have if the file was cut: no log is larger than 4 GiB.
  private static let wordsMax = (4 << 30) / 4 / segmentCount

  /// The word at which the first record of the newest segment begins.
  var newest: Int { firsts[current] ?? firsts[..<current].compactMap(\.self).max() ?? 0 }

  /// Whether the ring was never full: no segment behind the one that was being written has been used.
  var isYoung: Bool { firsts[(current + 1)...].allSatisfy { $0 == nil } }

  /// Where the newest records end, in bytes of the mapping: walks from the newest segment's first record to
  /// the first place where none begins.
  func tail(_ mapping: borrowing ReadOnlyMapping) -> Int {
    let (start, end) = (self.start + newest * 4, min(self.end, mapping.byteCount))
    let tail =
      head == .v73
      ? Self.tail(mapping, from: start, upTo: end, WideRecords.self)
      : Self.tail(mapping, from: start, upTo: end, NarrowRecords.self)
    guard tail > start, !isMark(at: tail, mapping) else { return tail }
    // A damaged length may have led over the end mark, into older segments.
    return LogImage.endMark(mapping, in: start..<tail) ?? tail
  }

  /// Where the newest records end in a ring that may be damaged.
  ///
  /// The walk may end at damage, or the head may name the wrong segment: then searches for the end mark, and
  /// takes the segment in which the mark lies for the newest one.
  mutating func searchTail(_ mapping: borrowing ReadOnlyMapping) -> Int {
    let tail = tail(mapping)
    if isMark(at: tail, mapping) { return tail }
    let oldest = firsts[(current + 1)...].compactMap(\.self).first { start + $0 * 4 > tail }
    let behind = tail..<start + (oldest ?? words) * 4
    let mark = LogImage.endMark(mapping, in: behind) ?? LogImage.endMark(mapping, in: start..<end)
    // The mark counts only behind the beginning of a segment.
    guard let mark, let index = firsts.lastIndex(where: { $0.map { start + $0 * 4 <= mark } ?? false }) else {
      return tail
    }
    current = index
    return mark
  }

  /// Whether the end mark is at an offset, behind which nothing newer was written.
  func isMark(at offset: Int, _ mapping: borrowing ReadOnlyMapping) -> Bool {
    guard offset >= 0, offset + 4 <= min(end, mapping.byteCount) else { return false }
    return unsafe mapping.base.loadUnaligned(fromByteOffset: offset, as: UInt32.self) == LogImage.Mark.end
  }

  private static func tail<Layout: RecordLayout>(
    _ mapping: borrowing ReadOnlyMapping, from start: Int, upTo end: Int, _: Layout.Type
  ) -> Int {
    let check = RecordCheck<Layout>(nil, takesUnknown: true)
    var at = start
    while let shape = unsafe UnitShape(
      at: mapping.base + at, room: end - at, isRing: true, check)
    {
      at += shape.byteCount
    }
    return min(at, max(start, end))
  }

  /// The segments from the oldest one on, the newest last; every byte of the ring is in one of them.
  ///
  /// - Parameters:
  ///   - tail: the word up to which the newest records lead. If the copy was made while the ring was written,
  ///     that is farther than the head says, and in segments whose old records are overwritten.
  ///   - former: the word at which older records follow, up to the oldest whole segment; nil if they aren't
  ///     read.
  ///   - available: how many bytes there are.
  func extents(
    tail: Int, former: Int?, available: Int
  ) -> (all: [LogImage.Extent], missing: Range<Int>) {
    var all: [LogImage.Extent] = []
    func add(_ words: Range<Int>, _ end: LogImage.Extent.End) {
      guard !words.isEmpty || end == .wrap else { return }
      let bytes = start + words.lowerBound * 4..<start + words.upperBound * 4
      guard bytes.upperBound > available else { return all.append(LogImage.Extent(bytes: bytes, end: end)) }
      // The piece is kept even if nothing is left of it, as the end of a turn.
      let left = min(bytes.lowerBound, available)..<available
      all.append(LogImage.Extent(bytes: left, end: end == .wrap ? .wrap : .file))
    }
    func add(_ starts: [Int], upTo last: Int, _ end: LogImage.Extent.End) {
      for (index, start) in starts.enumerated() {
        let isLast = index == starts.count - 1
        add(start..<(isLast ? last : starts[index + 1]), isLast ? end : .joined)
      }
    }
    let old = isYoung ? [] : Self.ascending(firsts[(current + 1)...], from: tail)
    let oldest = old.first ?? words
    // Behind the mark is what is left of the segment that is being overwritten, or of the end of the turn
    // before.
    let former = min(former ?? oldest, oldest)
    if former < oldest { add(former..<oldest, old.isEmpty ? .wrap : .joined) }
    add(old, upTo: words, .wrap)
    var turn = Self.ascending(firsts[..<current], from: 0).filter { $0 < newest }
    // Records begin at the ring's first word, whether the head says so or not.
    if turn.first != 0 { turn.insert(0, at: 0) }
    if newest > 0 { add(turn, upTo: newest, .joined) }
    add(newest..<former, .tail)
    return (all, min(available, end)..<end)
  }

  /// The places among the given ones at which one segment after the other can begin: those that ascend.
  private static func ascending(_ firsts: ArraySlice<Int?>, from least: Int) -> [Int] {
    var places: [Int] = []
    for case .some(let first) in firsts where first >= places.last ?? least { places.append(first) }
    return places
  }
}

extension ImageRecords {
  /// Prepares for reading the copy of a ring.
  ///
  /// - Throws: `LogError.damaged` if its head doesn't describe one.
  init(
    _ mapping: consuming ReadOnlyMapping, _ ring: RingImage, path: String, incarnation: LogIncarnation,
    isDecoded: Bool, fault: LogError?, salvages: Bool, numbering: TagNumbering?,
    assuming assumed: TagNumbering?
  ) {
    var ring = ring
    let tail = salvages ? ring.searchTail(mapping) : ring.tail(mapping)
    let end = min(ring.end, mapping.byteCount)
    let isMarked = ring.isMark(at: tail, mapping)
    // Behind the mark, a ring that was never full has nothing but the zeros it was made with.
    let hasFormer = isMarked && !LogImage.isUnwritten(mapping, tail + 4..<end)
    // Where the mark itself is damaged, or was overwritten while the copy was made, older records follow at once.
    let former = isMarked ? (hasFormer ? tail + 4 : nil) : (ring.isYoung ? nil : tail)
    let (extents, missing) = ring.extents(
      tail: (tail - ring.start) / 4, former: salvages ? former.map { ($0 - ring.start) / 4 } : nil,
      available: mapping.byteCount)
    self.init(
      LogImage(
        mapping, path: path, incarnation: incarnation, isDecoded: isDecoded, extents: extents,
        missing: missing, hasFormer: hasFormer, fault: fault),
      isRing: true, salvages: salvages, numbering: ring.head.numbering ?? numbering, assuming: assumed)
  }
}

extension RingImage.Head {
  /// The records' tag numbering, as far as the marker tells it.
  fileprivate var numbering: TagNumbering? {
    switch self {
    case .v40: .v40
    case .v41: .v41
    case .v73: nil
    }
  }
}
