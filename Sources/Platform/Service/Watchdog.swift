/// Decides when a service manager may be told that the run is alive: when records advance from the log to the
/// consumers, or when there are none.
///
/// A user wants a watchdog to act where a restart helps. So these are the rules:
///
/// - A part of the run (the reader, the thread of an output, the thread that moves entries to disk) that has
///   work must make progress between two signs of life. A part without work is well. If the reader finds
///   bytes in the log and doesn't advance, the watchdog gets no sign of life; nor if an output's thread
///   leaves entries in its spool and isn't in its sink: these threads hang in our own code, and a restart
///   helps.
/// - A part that waits for something outside is well for as long as that takes: an output in a call of its
///   sink whose consumer doesn't read, whose receiver is away, or whose disk hangs; the reader of a file that
///   is held back by a full spool. What becomes of its entries is decided by the policy (spool, drop, hold
///   back), and is counted and reported; a restart would only lose the entries in memory, and disturb outputs
///   that are well.
/// - Unless it computes meanwhile: a waiting call takes no processor time. A part that has taken most of the
///   time since the last sign of life and has settled nothing is in an endless loop of ours, and its consumer
///   isn't slow.
///
/// The decision depends only on what is passed to `look`. If that is called too seldom, as the thread that
/// should call it hangs itself, there is no sign of life either.
package struct Watchdog: Sendable {
  /// A thread's work, at one moment.
  package struct Part: Equatable, Sendable {
    /// The part's name in messages; always the same, and no other part's.
    package var name: String
    /// A measure of the work done so far, such as records read or entries settled; only a change of it has a
    /// meaning.
    package var done: UInt64
    /// Whether the part has work to do.
    package var hasWork: Bool
    /// Whether the part waits for something outside of the program.
    package var isOutside: Bool
    /// How much processor time the part's thread has taken in all; nil if that isn't known.
    package var processorNanoseconds: Int64?

    /// A part with these values.
    package init(
      name: String, done: UInt64, hasWork: Bool, isOutside: Bool, processorNanoseconds: Int64? = nil
    ) {
      self.name = name
      self.done = done
      self.hasWork = hasWork
      self.isOutside = isOutside
      self.processorNanoseconds = processorNanoseconds
    }

    /// The thread that reads the log.
    ///
    /// - Parameters:
    ///   - isIdle: whether there was nothing behind the last record, or is no log.
    ///   - isHeldBack: whether it waits for room in a spool, which only a reader does that loses nothing by it.
    package static func reader(recordsRead: UInt64, isIdle: Bool, isHeldBack: Bool = false) -> Part {
      Part(name: "the reader", done: recordsRead, hasWork: !isIdle, isOutside: isHeldBack)
    }

    /// The thread of an output.
    ///
    /// - Parameters:
    ///   - entriesSettled: settled or given up.
    ///   - isInSink: whether it is in a call that may wait for a consumer, a receiver or a disk.
    package static func output(
      _ name: String, entriesSettled: UInt64, isSpoolEmpty: Bool, isInSink: Bool,
      processorNanoseconds: Int64? = nil
    ) -> Part {
      Part(
        name: "output \(name)", done: entriesSettled, hasWork: !isSpoolEmpty, isOutside: isInSink,
        processorNanoseconds: processorNanoseconds)
    }

    /// The thread that moves entries of an output to disk.
    ///
    /// - Parameters:
    ///   - isBusy: whether it was woken to move entries, and hasn't moved all that it can.
    ///   - isOnDisk: whether it waits for the disk.
    package static func spiller(
      _ name: String, blocksMoved: UInt64, isBusy: Bool, isOnDisk: Bool, processorNanoseconds: Int64? = nil
    ) -> Part {
      Part(
        name: "the spool of output \(name)", done: blocksMoved, hasWork: isBusy, isOutside: isOnDisk,
        processorNanoseconds: processorNanoseconds)
    }
  }

  /// What to tell the manager.
  package enum Verdict: Equatable, Sendable {
    /// No sign of life is due yet.
    case notYet
    /// Send a sign of life.
    case feed
    /// Send none: these parts hang, or have ended.
    case starve([String])
  }

  /// The state of a part at the last sign of life.
  private struct Record {
    var done: UInt64
    var processorNanoseconds: Int64?
    /// Whether the part was seen to be well since then.
    var isWell: Bool
  }

  /// How long after a sign of life the next one is due: half of what the manager waits, so that a part that is late by
  /// less than the other half costs nothing.
  package let periodNanoseconds: Int64
  private var lastFeed: Int64
  private var records: [String: Record] = [:]

  /// Starts with a sign of life, as the message that the run is ready is one.
  package init(watchdogNanoseconds: Int64, at now: Int64) {
    periodNanoseconds = max(1, watchdogNanoseconds / 2)
    lastFeed = now
  }

  /// When `look` must be called again, at the latest.
  package var nextLook: Int64 { lastFeed + periodNanoseconds }

  /// Checks all parts that exist; may be called any number of times between two signs of life.
  ///
  /// - Parameter now: the time by a clock that never jumps.
  package mutating func look(at now: Int64, _ parts: [Part]) -> Verdict {
    let elapsed = now - lastFeed
    var kept: [String: Record] = [:]
    for part in parts {
      // A new part has had no time to do anything.
      var record =
        records[part.name]
        ?? Record(done: part.done, processorNanoseconds: part.processorNanoseconds, isWell: true)
      if part.done != record.done || !part.hasWork { record.isWell = true }
      if part.isOutside, !computes(part, record, elapsed) { record.isWell = true }
      kept[part.name] = record
    }
    records = kept
    guard elapsed >= periodNanoseconds else { return .notYet }
    let hanging = parts.filter { kept[$0.name]?.isWell != true }.map(\.name)
    guard hanging.isEmpty else { return .starve(hanging) }
    lastFeed = now
    records = [:]
    for part in parts {
      records[part.name] = Record(
        done: part.done, processorNanoseconds: part.processorNanoseconds, isWell: false)
    }
    return .feed
  }

  /// Whether a thread that reports that it waits has mainly computed.
  private func computes(_ part: Part, _ record: Record, _ elapsed: Int64) -> Bool {
    guard let now = part.processorNanoseconds, let before = record.processorNanoseconds else { return false }
    return now - before > elapsed / 2
  }
}
