import Glibc
import Platform

/// The log that a writer appends to: threads reserve space one at a time, and fill it at the same time.
///
/// The lock is this process's own; readers neither see nor influence it, and a process that dies with it
/// leaves nothing locked. It is held for the reservation, a few stores, and never while anything is copied.
final class AppendableLog: Sendable {
  /// The side of the protocol that takes space, by what kind of ring it is.
  enum Appender {
    case segmented(RingAppender<SharedRing>)
    case turning(TurningAppender<SharedRing>)
  }

  private struct State {
    var appender: Appender
    var counters: OwnCounters
    var figures = LogWriterStatistics()
    var isClosed = false
  }

  /// The counts that a piece adds to the writer's statistics.
  struct Tally {
    var records: UInt64 = 0
    var flushes: UInt64 = 0
    var truncations: UInt64 = 0
    var skipped: UInt64 = 0
  }

  private let ring: SharedRing
  private let pins: RingPins
  private let state: Guarded<State>
  /// Keeps the ring's memory.
  private let memory: SectionMemory
  /// The most bytes that can be appended in one piece.
  let pieceByteCountMax: Int

  init(
    _ memory: SectionMemory, _ ring: SharedRing, _ appender: sending Appender, pins: RingPins,
    counters: OwnCounters, pieceByteCountMax: Int
  ) {
    self.memory = memory
    self.ring = ring
    self.pins = pins
    self.pieceByteCountMax = pieceByteCountMax
    state = Guarded(State(appender: appender, counters: counters))
  }

  /// Counts of what was written so far.
  var statistics: LogWriterStatistics { state.withLock { $0.figures } }

  /// Ends the log: nothing is appended any more.
  func close() { state.withLock { $0.isClosed = true } }

  private enum Attempt {
    case reserved(RingReservation)
    case obstructed
    case closed
  }

  /// Appends whole words as one piece: readers see all of it, or an end.
  ///
  /// - Returns: false if the log was closed.
  func append(_ words: UnsafeRawBufferPointer, _ tally: Tally) -> Bool {
    // Whole words are reserved, and all bytes of the piece are copied.
    precondition(words.count % 4 == 0, "a piece that is no whole words")
    var attempts = 0
    while true {
      switch reserve(words.count, tally, isFirst: attempts == 0) {
      case .reserved(let reservation):
        unsafe ring.publish(words, at: reservation.start)
        pins.unpin(reservation.eighths)
        return true
      case .obstructed: Self.pause(attempts)
      case .closed: return false
      }
      attempts += 1
    }
  }

  /// Adds the counts of records that weren't written.
  func count(_ tally: Tally) {
    state.withLock { state in
      state.figures.add(tally)
      state.counters.show(state.figures)
    }
  }

  private func reserve(_ byteCount: Int, _ tally: Tally, isFirst: Bool) -> Attempt {
    state.withLock { state in
      if state.isClosed { return .closed }
      guard let reservation = state.appender.reserve(byteCount / 4) else {
        if isFirst { state.figures.waits += 1 }
        return .obstructed
      }
      state.figures.add(tally)
      state.figures.writes += 1
      state.figures.bytes += UInt64(byteCount)
      if reservation.wrapped { state.figures.cycles += 1 }
      state.counters.show(state.figures)
      return .reserved(reservation)
    }
  }

  /// Lets the thread that is in the way go on: it has a few hundred nanoseconds of work left.
  private static func pause(_ attempts: Int) {
    if attempts < 64 {
      sched_yield()
    } else {
      // The other thread may have a lower priority, so yielding the processor to it may not be enough.
      var time = timespec(tv_sec: 0, tv_nsec: 50_000)
      unsafe nanosleep(&time, nil)
    }
  }
}

extension AppendableLog.Appender {
  @inline(__always)
  fileprivate mutating func reserve(_ words: Int) -> RingReservation? {
    switch consume self {
    case .segmented(var appender):
      let reservation = appender.reserve(words)
      self = .segmented(appender)
      return reservation
    case .turning(var appender):
      let reservation = appender.reserve(words)
      self = .turning(appender)
      return reservation
    }
  }
}

extension LogWriterStatistics {
  fileprivate mutating func add(_ tally: AppendableLog.Tally) {
    records += tally.records
    flushes += tally.flushes
    truncations += tally.truncations
    skipped += tally.skipped
  }
}
