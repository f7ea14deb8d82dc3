import Platform
import Transactions
import VarnishLog

/// What one log's records are turned into: the groupers, one for each way of grouping that the routes ask
/// for, and pieces that belong to no transaction.
struct Reading<Layout: RecordLayout>: ~Copyable {
  var groupers: FixedList<Grouper<Layout>>
  /// The records that the routes depend on.
  var wish = PickWish()
  /// Whether transactions that are ended by force are noted in the checkpoint.
  var notesForced = false
  /// Whether groups that had to be ended are left out, as the records that they lack may be some that
  /// couldn't be read.
  var withholdsForced = false
  /// Whether records are read that an earlier run has read.
  var isRepeating = false
  /// Whether a route takes single records.
  var takesRecords = false
  /// For each grouper, its way of grouping.
  var ways: [GroupingOptions] = []
  /// For each grouper, whether it began after the log's beginning: then a piece of an unknown transaction
  /// isn't an error of the log.
  var isLate: [Bool] = []
  /// Pieces of transactions whose beginning was never seen.
  var strays = StrayPieces()

  /// A reading without groupers.
  init() {
    groupers = FixedList(count: 0) { _ in preconditionFailure("there are none") }
  }
}

/// Pieces of transactions whose beginning was never seen.
struct StrayPieces {
  private(set) var count = 0
  private(set) var firstOffset = 0
  private(set) var firstVXID: UInt64 = 0

  mutating func note(offset: Int, vxid: UInt64) {
    if count == 0 { (firstOffset, firstVXID) = (offset, vxid) }
    count += 1
  }
}

extension Run {
  /// Gets the routes ready for a log, and makes the groupers that they need.
  mutating func beginReading<Layout: RecordLayout>(
    _ layout: Layout.Type, _ numbering: TagNumbering, single: TagNumbering? = nil
  ) throws(RunError) -> Reading<Layout> {
    try prepare(for: numbering, single: single)
    let ways = chooseGroupers(for: numbering, single: single)
    let tags = TagTable(numbering)
    for index in 0..<routes.count { routes[index].isNew = false }
    var reading = Reading<Layout>()
    reading.ways = ways.all
    reading.isLate = ways.all.map { _ in false }
    reading.takesRecords = ways.takesRecords
    reading.groupers = FixedList(count: ways.all.count) { way in
      Grouper(options: options(for: way, of: ways.all), tags: tags)
    }
    letPick(&reading)
    // The code that has opened inputs and outputs isn't needed while they are read and written.
    ProgramCode.release()
    return reading
  }

  /// Assigns each route the grouper that it takes groups from.
  ///
  /// - Returns: the ways of grouping, one for each grouper, and whether a route takes single records.
  mutating func chooseGroupers(
    for numbering: TagNumbering, single: TagNumbering?
  ) -> (all: [GroupingOptions], takesRecords: Bool) {
    let rules = input.rules(for: single ?? numbering)
    var ways: [GroupingOptions] = []
    var takesRecords = false
    for index in 0..<routes.count {
      guard !routes[index].takesSingles, let way = routes[index].configuration.groupingOptions(input, rules)
      else {
        takesRecords = true
        routes[index].grouper = nil
        continue
      }
      let found = ways.firstIndex(of: way) ?? ways.count
      if found == ways.count { ways.append(way) }
      routes[index].grouper = found
    }
    return (ways, takesRecords)
  }

  /// A grouper's options, with the records that its routes need.
  func options(for way: Int, of ways: [GroupingOptions]) -> GroupingOptions {
    var options = ways[way]
    for index in 0..<routes.count where routes[index].grouper == way {
      options.kept.formUnion(routes[index].kept)
    }
    // Groups that are put in order must have their times.
    if input.merges, let numbering = log.numbering, let number = TagTable(numbering).number(of: .timestamp) {
      options.kept.want(number)
    }
    return options
  }

  /// Determines which records are to be picked out of runs for the routes.
  func letPick<Layout: RecordLayout>(_ reading: inout Reading<Layout>) {
    let wishes = reading.ways.indices.map { way in
      var wish = PickWish()
      for index in 0..<routes.count where routes[index].grouper == way { wish.formUnion(routes[index].wish) }
      // A grouper that doesn't keep all records stores those that were picked, and may keep more than is
      // wanted now.
      let kept = reading.groupers[way].kept
      if !wish.isEmpty, !kept.contains(.all) { wish.formUnion(kept) }
      wish.unwantedSide = reading.ways[way].unwantedSide
      return wish
    }
    reading.wish = wishes.dropFirst().reduce(into: wishes.first ?? PickWish()) { $0.formUnion($1) }
  }

  /// Ends reading a log, and discards open transactions.
  mutating func end<Layout: RecordLayout>(_ reading: inout Reading<Layout>) {
    for way in 0..<reading.groupers.count {
      for index in 0..<routes.count where routes[index].grouper == way {
        routes[index].count(reading.groupers[way].statistics)
      }
      reading.groupers[way].discardOpen()
    }
  }
}
