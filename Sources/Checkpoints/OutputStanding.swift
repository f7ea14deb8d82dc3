public import Spool

/// How far an output had come.
public struct OutputStanding: Equatable, Sendable {
  /// The mark in front of which all entries are settled, were given up, or were left out.
  public var done: EntryMark
  /// The sequence of the next entry, in a spool that lasts.
  public var sequence: Int
  /// Where the last of these entries ends in the output's file; nil for an output that is no file.
  public var place: OutputPlace?
  /// A write that had been begun; nil if there was none.
  public var pending: Pending?

  /// A write of whole entries that may have happened, in part or as a whole.
  public struct Pending: Equatable, Sendable {
    /// What `done` is if the write has happened.
    public var done: EntryMark
    /// The sequence of the next entry if the write has happened.
    public var sequence: Int
    /// How long the file is if the write has happened, in bytes.
    public var byteCount: Int

    /// A write up to these places.
    public init(done: EntryMark, sequence: Int, byteCount: Int) {
      self.done = done
      self.sequence = sequence
      self.byteCount = byteCount
    }
  }

  /// An output that has come so far.
  public init(done: EntryMark = .start, sequence: Int = 0, place: OutputPlace? = nil, pending: Pending? = nil)
  {
    self.done = done
    self.sequence = sequence
    self.place = place
    self.pending = pending
  }
}

// MARK: - As it is stored

extension OutputStanding {
  func encode(to words: inout WordWriter) {
    words.put(done.place)
    words.put(UInt64(done.ordinal))
    words.put(UInt64(sequence))
    let parts: UInt64 = (place == nil ? 0 : 1) + (pending == nil ? 0 : 2)
    words.put(parts)
    place?.encode(to: &words)
    if let pending {
      words.put(pending.done.place)
      words.put(UInt64(pending.done.ordinal))
      words.put(UInt64(pending.sequence))
      words.put(UInt64(pending.byteCount))
    }
  }

  init?(from words: inout WordReader) {
    guard let done = EntryMark(from: &words), let sequence = words.sequence(), let parts = words.number(),
      parts <= 3
    else { return nil }
    self.init(done: done, sequence: sequence)
    if parts & 1 != 0 {
      guard let place = OutputPlace(from: &words) else { return nil }
      self.place = place
    }
    if parts & 2 != 0 {
      guard let done = EntryMark(from: &words), let sequence = words.sequence(),
        let byteCount = words.number().flatMap({ Int(exactly: $0) })
      else { return nil }
      pending = Pending(done: done, sequence: sequence, byteCount: byteCount)
    }
  }
}

extension EntryMark {
  fileprivate init?(from words: inout WordReader) {
    guard let place = words.number(), place <= LogSpan.placeMax, let ordinal = words.number(),
      let ordinal = UInt32(exactly: ordinal)
    else { return nil }
    self.init(place: place, ordinal: ordinal)
  }
}

extension WordReader {
  /// Reads the sequence of an entry in a spool; nil if it can't be one.
  fileprivate mutating func sequence() -> Int? {
    guard let number = number(), number < 1 << 62 else { return nil }
    return Int(number)
  }
}
