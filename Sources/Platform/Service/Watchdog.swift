/// Decides when a service manager may be told that the run is alive: whether records advance from the log to where
/// they are sent, or there are none.
///
/// What a user wants of a watchdog is that a restart helps. So these are the rules:
///
/// - A part of the run (the reader, the thread of an output, the one that moves entries to disk) that has something to
///   do must get on with it between two signs of life. One that has nothing to do is well. The reader that finds bytes
///   in the log and doesn't advance starves the watchdog; so does an output's thread that leaves entries in its spool
///   and isn't in its sink: those hang in our own code, and a restart helps.
/// - A part that waits for something outside is well for as long as that takes: an output in a call of its sink whose
///   consumer doesn't read, whose receiver is away, whose disk hangs; the reader of a file that is held back by a full
///   spool. What is to become of its entries is what the policy is for (spool, drop, hold back), and is counted and
///   said; a restart would only throw away what waits in memory, and touch outputs that are well.
/// - Unless it computes meanwhile: a call that waits takes no processor time. One that has taken most of the time since
///   the last sign of life and has settled nothing is an endless loop of ours, not a consumer that is slow.
///
/// It is a pure function of what it is shown. Shown too seldom, because the thread that should do it hangs itself, it
/// gives no sign either.
package struct Watchdog: Sendable {
  /// A thread's work, at one moment.
  package struct Part: Equatable, Sendable {
    /// What it is called in messages; the same from one moment to the next, and no other part's.
    package var name: String
    /// How much it has done in all, such as records read or entries settled; only that it changes counts.
    package var done: UInt64
    /// Whether there is something for it to do.
    package var hasWork: Bool
    /// Whether it waits for something outside of the program.
    package var isOutside: Bool
    /// How much processor time its thread has taken in all; nil if that isn't known.
    package var processorNanoseconds: Int64?

    /// Any thread.
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
    ///   - isHeldBack: whether it waits for room in a spool, as only one that loses nothing thereby does.
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
    ///   - isBusy: whether it was woken because memory is short, and hasn't done what can be done.
    ///   - isOnDisk: whether it waits for the disk.
    package static func spiller(
      _ name: String, blocksMoved: UInt64, isBusy: Bool, isOnDisk: Bool, processorNanoseconds: Int64? = nil
    ) -> Part {
      Part(
        name: "the spool of output \(name)", done: blocksMoved, hasWork: isBusy, isOutside: isOnDisk,
        processorNanoseconds: processorNanoseconds)
    }
  }

  /// What to do.
  package enum Verdict: Equatable, Sendable {
    /// It isn't time yet.
    case notYet
    /// Tell the manager that all is well.
    case feed
    /// Don't: these parts hang, or have ended.
    case starve([String])
  }

  /// A part since the last sign of life.
  private struct Record {
    var done: UInt64
    var processorNanoseconds: Int64?
    /// Whether it was seen to be well since then.
    var isWell: Bool
  }

  /// How long after a sign of life the next one is due: half of what the manager waits, so that a part that is late by
  /// less than the other half costs nothing.
  package let periodNanoseconds: Int64
  private var lastFeed: Int64
  private var records: [String: Record] = [:]

  /// Begins with a sign of life, as being ready is one.
  package init(watchdogNanoseconds: Int64, at now: Int64) {
    periodNanoseconds = max(1, watchdogNanoseconds / 2)
    lastFeed = now
  }

  /// When to show it the parts again, at the latest.
  package var nextLook: Int64 { lastFeed + periodNanoseconds }

  /// Looks at all parts that there are, any number of times between two signs of life.
  ///
  /// - Parameter now: on a clock that never jumps.
  package mutating func look(at now: Int64, _ parts: [Part]) -> Verdict {
    let elapsed = now - lastFeed
    var kept: [String: Record] = [:]
    for part in parts {
      // A new one has had no time to do anything.
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

  /// Whether a thread that says that it waits has done little else than compute.
  private func computes(_ part: Part, _ record: Record, _ elapsed: Int64) -> Bool {
    guard let now = part.processorNanoseconds, let before = record.processorNanoseconds else { return false }
    return now - before > elapsed / 2
  }
}
