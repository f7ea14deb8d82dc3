public import VarnishLog

/// How far the log had been read, and what of it would have to be read again.
public struct ReadingStanding: Equatable, Sendable {
  /// The logs that have been read, in the order of reading; the last one is being read.
  ///
  /// Empty before the first.
  public var logs: [LogSpan]
  /// The place up to which the logs have been read.
  public var through: UInt64
  /// A place in front of which all outputs are done with everything: where reading goes on.
  public var resumption: UInt64
  /// The transactions that were unfinished there, for each way of grouping: they are read again from their
  /// beginnings.
  public var unfinished: [Unfinished]
  /// How many entries some outputs had been offered at exactly this place: entries offered there again come
  /// behind these.
  public var offered: [Offered]
  /// Transactions that were ended by force, in the order of the places.
  public var forced: [ForcedEnd]
  /// When all this was noted, in seconds since 1970.
  public var wallSeconds: Int64
  /// How many bytes of the log an entry was made of, on average; 0 if that isn't known.
  public var entryBytes: UInt64
  /// The outputs that weren't done with everything in front of `resumption`: they have been left behind.
  public var behind: [String]
  /// How many entries outputs have dropped since the last message about dropped entries.
  public var unsaid: [Unsaid]

  /// A transaction that was unfinished.
  public struct Unfinished: Equatable, Sendable {
    /// The way of grouping, as a number made of the options that it depends on.
    public var way: UInt64
    /// The transaction's number.
    public var vxid: UInt64
    /// Where it begins.
    public var firstPlace: UInt64

    /// An unfinished transaction.
    public init(way: UInt64, vxid: UInt64, firstPlace: UInt64) {
      self.way = way
      self.vxid = vxid
      self.firstPlace = firstPlace
    }
  }

  /// An output that had been offered entries at the place where reading goes on.
  public struct Offered: Equatable, Sendable {
    /// The output's name.
    public var name: String
    /// How many entries it had been offered.
    public var count: UInt32

    /// An output, and how many it had been offered.
    public init(name: String, count: UInt32) {
      self.name = name
      self.count = count
    }
  }

  /// An output that has dropped entries.
  public struct Unsaid: Equatable, Sendable {
    /// The output's name.
    public var name: String
    /// How many entries it has dropped at most: those of the last moment before a kill may not have been
    /// dropped yet.
    public var countMax: UInt64

    /// An output, and how many entries it has dropped at most.
    public init(name: String, countMax: UInt64) {
      self.name = name
      self.countMax = countMax
    }
  }

  /// Nothing read, unless other values are given.
  public init(
    logs: [LogSpan] = [], through: UInt64 = 0, resumption: UInt64 = 0, unfinished: [Unfinished] = [],
    offered: [Offered] = [], forced: [ForcedEnd] = [], wallSeconds: Int64 = 0, entryBytes: UInt64 = 0,
    behind: [String] = [], unsaid: [Unsaid] = []
  ) {
    self.logs = logs
    self.through = through
    self.resumption = resumption
    self.unfinished = unfinished
    self.offered = offered
    self.forced = forced
    self.wallSeconds = wallSeconds
    self.entryBytes = entryBytes
    self.behind = behind
    self.unsaid = unsaid
  }

  /// From where the log must be read again.
  public var start: UInt64 { unfinished.reduce(resumption) { min($0, $1.firstPlace) } }

  /// The log that a place is in; nil if it is in front of all that are known.
  public func log(at place: UInt64) -> LogSpan? { logs.last { $0.start <= place } }
}

/// A log among those that a run and its predecessors have read one after the other: their places are counted through.
public struct LogSpan: Equatable, Sendable {
  /// Far more than logs can hold, and small enough to calculate with.
  public static let placeMax: UInt64 = 1 << 63

  /// The log's incarnation.
  public var incarnation: LogIncarnation
  /// The place at which it begins among all logs, from which its own places are counted.
  public var start: UInt64

  /// A log that begins at a place.
  public init(_ incarnation: LogIncarnation, start: UInt64) {
    self.incarnation = incarnation
    self.start = start
  }

  /// The place among all logs of a place in this one.
  public func place(of own: UInt64) -> UInt64 { start &+ own }

  /// The position in this log of a place among all logs.
  public func position(of place: UInt64) -> LogPosition {
    LogPosition(incarnation, place: place >= start ? place - start : 0)
  }
}

/// A transaction that was ended without its end: reading again ends it at the same place.
public struct ForcedEnd: Equatable, Sendable {
  /// The way of grouping, as a number made of the options that it depends on.
  public var way: UInt64
  /// The transaction's number; 0 for all transactions that were open.
  public var vxid: UInt64
  /// The place up to which the log had been read.
  public var place: UInt64
  /// Why it was ended.
  public var reason: Reason

  /// What ended it.
  public enum Reason: UInt64, Sendable, CaseIterable {
    /// It was open for too long.
    case timeout
    /// Too many were open.
    case limit
    /// The log was interrupted, or a user asked for it.
    case flush
  }

  /// An end by force.
  public init(way: UInt64, vxid: UInt64, place: UInt64, reason: Reason) {
    self.way = way
    self.vxid = vxid
    self.place = place
    self.reason = reason
  }
}

// MARK: - As it is stored

extension ReadingStanding {
  func encode(to words: inout WordWriter) {
    words.put(through)
    words.put(wallSeconds)
    words.put(entryBytes)
    words.put(UInt64(behind.count))
    for name in behind { words.put(name) }
    words.put(UInt64(unsaid.count))
    for output in unsaid {
      words.put(output.name)
      words.put(output.countMax)
    }
    words.put(UInt64(logs.count))
    for log in logs {
      words.put(log.start)
      words.put(log.incarnation.device)
      words.put(log.incarnation.inode)
      words.put(log.incarnation.writer == nil ? 0 : 1 as UInt64)
      words.put(Int64(log.incarnation.writer?.pid ?? 0))
      words.put(log.incarnation.writer?.birth ?? 0)
    }
    words.put(resumption)
    words.put(UInt64(unfinished.count))
    for transaction in unfinished {
      words.put(transaction.way)
      words.put(transaction.vxid)
      words.put(transaction.firstPlace)
    }
    words.put(UInt64(offered.count))
    for output in offered {
      words.put(output.name)
      words.put(UInt64(output.count))
    }
    words.put(UInt64(forced.count))
    for end in forced {
      words.put(end.way)
      words.put(end.vxid)
      words.put(end.place)
      words.put(end.reason.rawValue)
    }
  }

  init?(from words: inout WordReader) {
    self.init()
    guard let through = words.place() else { return nil }
    self.through = through
    guard let wallSeconds = words.signedNumber(), let entryBytes = words.number(),
      let behindCount = words.count(ofWords: 1)
    else { return nil }
    (self.wallSeconds, self.entryBytes) = (wallSeconds, entryBytes)
    for _ in 0..<behindCount {
      guard let name = words.text() else { return nil }
      behind.append(name)
    }
    guard let unsaidCount = words.count(ofWords: 2) else { return nil }
    for _ in 0..<unsaidCount {
      guard let name = words.text(), let countMax = words.number() else { return nil }
      unsaid.append(Unsaid(name: name, countMax: countMax))
    }
    guard let logCount = words.count(ofWords: 6) else { return nil }
    for _ in 0..<logCount {
      guard let start = words.place(), let device = words.number(), let inode = words.number(),
        let hasWriter = words.number(), hasWriter <= 1, let pid = words.signedNumber(),
        let pid = Int32(exactly: pid), let birth = words.signedNumber()
      else { return nil }
      let writer = hasWriter == 1 ? LogIncarnation.Writer(pid: pid, birth: birth) : nil
      logs.append(LogSpan(LogIncarnation(device: device, inode: inode, writer: writer), start: start))
    }
    guard let resumption = words.place(), resumption <= through,
      let unfinishedCount = words.count(ofWords: 3)
    else { return nil }
    self.resumption = resumption
    for _ in 0..<unfinishedCount {
      guard let way = words.number(), let vxid = words.number(), let firstPlace = words.place(),
        firstPlace <= resumption
      else { return nil }
      unfinished.append(Unfinished(way: way, vxid: vxid, firstPlace: firstPlace))
    }
    guard let offeredCount = words.count(ofWords: 2) else { return nil }
    for _ in 0..<offeredCount {
      guard let name = words.text(), let count = words.number(), let count = UInt32(exactly: count) else {
        return nil
      }
      offered.append(Offered(name: name, count: count))
    }
    guard let forcedCount = words.count(ofWords: 4) else { return nil }
    for _ in 0..<forcedCount {
      guard let way = words.number(), let vxid = words.number(), let place = words.place(),
        let reason = words.number().flatMap(ForcedEnd.Reason.init)
      else { return nil }
      forced.append(ForcedEnd(way: way, vxid: vxid, place: place, reason: reason))
    }
    let isSorted =
      zip(logs, logs.dropFirst()).allSatisfy { $0.start < $1.start }
      && zip(forced, forced.dropFirst()).allSatisfy { $0.place <= $1.place }
    guard isSorted else { return nil }
  }
}

extension WordReader {
  fileprivate mutating func place() -> UInt64? {
    guard let number = number(), number <= LogSpan.placeMax else { return nil }
    return number
  }
}
