import LogQuery
import LogReading
import Platform
import Rendering
import Spool
import Transactions
import VarnishLog

/// Single records instead of groups.
extension Route {
  /// How many records are rendered before they are checked and kept.
  private static let batchCount = 64

  /// The outcome of taking a run's records.
  enum RunOutcome {
    /// All of them were dealt with.
    case done
    /// There is no room for the next one, which isn't counted yet.
    case full
  }

  /// Takes the records of a run, each by itself.
  ///
  /// - Parameters:
  ///   - cursor: is left at the first record that found no room.
  ///   - endPlace: where the run ends.
  mutating func take<Layout: RecordLayout>(
    each cursor: inout RecordCursor<Layout>, upTo endPlace: UInt64, _ clock: RunClock, isIntact: () -> Bool
  ) -> RunOutcome {
    passOver(&cursor, upTo: endPlace)
    if takesEveryRecord {
      let isWhole = takeMany(&cursor, upTo: endPlace, isIntact: isIntact)
      if configuration.isUnbuffered { publish() }
      if !isWhole { return .done }
    }
    // The remaining records found no room, or must be judged one by one.
    while groupsLeft > 0 {
      var ahead = cursor
      guard let record = ahead.next() else { return .done }
      marks.reach(endPlace &- UInt64(truncatingIfNeeded: ahead.rest.byteCount))
      let isWanted = TransactionGroup.withRecord(record) { query?.matches($0) ?? true }
      if let cause = objection(isWanted, record.vxid, clock) {
        ledger[cause] += 1
        cursor = ahead
        continue
      }
      switch take(record, isIntact: isIntact) {
      case .committed, .counted: countTaken()
      // Records that were overwritten are gone; the source reports how many bytes they were.
      case .torn: return .done
      case .full: return .full
      }
      cursor = ahead
    }
    return .done
  }

  /// Goes past records that an earlier run has done.
  private mutating func passOver<Layout: RecordLayout>(
    _ cursor: inout RecordCursor<Layout>, upTo endPlace: UInt64
  ) {
    while endPlace &- UInt64(truncatingIfNeeded: cursor.rest.byteCount) < marks.done.place {
      var ahead = cursor
      guard ahead.next() != nil else { return }
      marks.reach(endPlace &- UInt64(truncatingIfNeeded: ahead.rest.byteCount))
      guard marks.isNextDone else { return }
      passOver()
      cursor = ahead
    }
  }

  /// Counts the record at which there was no room as lost, and goes past it.
  mutating func refuse<Layout: RecordLayout>(_ cursor: inout RecordCursor<Layout>) {
    guard cursor.next() != nil else { return }
    refuse()
    countTaken()
  }

  /// Takes many records at a time, as long as there is room.
  ///
  /// - Returns: false if they were overwritten meanwhile.
  private mutating func takeMany<Layout: RecordLayout>(
    _ records: inout RecordCursor<Layout>, upTo endPlace: UInt64, isIntact: () -> Bool
  ) -> Bool {
    switch shown {
    case .records(let renderer)?:
      let tallies = Self.takeMany(&records, upTo: endPlace, renderer, &writer, isIntact: isIntact)
      ledger.committed += tallies.committed
      ledger[.unwanted] += tallies.hidden
      ledger[.torn] += tallies.torn
      return tallies.torn == 0
    default: return true
    }
  }

  private static func takeMany<Layout: RecordLayout>(
    _ records: inout RecordCursor<Layout>, upTo endPlace: UInt64, _ renderer: borrowing Box<GroupRenderer>,
    _ writer: inout SpoolWriter, isIntact: () -> Bool
  ) -> (committed: Int, hidden: Int, torn: Int) {
    var tallies = (committed: 0, hidden: 0, torn: 0)
    var wanted = groupByteCountUsual
    unsafe withUnsafeTemporaryAllocation(of: RecordEnd.self, capacity: batchCount) { ends in
      while !records.rest.isEmpty {
        guard writer.hasRoom(wanted), case .room(let room) = writer.reserve(wanted) else { return }
        // Each record that is kept takes some of the room away for itself.
        let usable = room.count - ends.count * SpoolWriter.entryOverhead
        var lines = unsafe LineWriter(UnsafeMutableRawBufferPointer(rebasing: room[..<max(0, usable)]))
        let batch = unsafe renderer.value.render(each: &records, to: &lines, ends: ends)
        tallies.hidden += batch.hidden
        if batch.shown == 0, batch.hidden == 0 {
          // What is left is no whole record, or needs more room.
          guard batch.isFull else { return }
          wanted = room.count * 2
          continue
        }
        guard isIntact() else {
          tallies.torn += 1
          return
        }
        var start = 0
        for index in 0..<batch.shown {
          let end = unsafe ends[index]
          let place = endPlace &- UInt64(truncatingIfNeeded: end.bytesLeft)
          writer.commit(end.text - start, EntryMark(place: place, ordinal: 0))
          start = end.text
        }
        tallies.committed += batch.shown
      }
    }
    return tallies
  }
}
