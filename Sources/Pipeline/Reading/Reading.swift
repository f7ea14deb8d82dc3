import Platform
import Transactions
import VarnishLog

/// What is made of one log's records: the groupers, one for each way of grouping that the routes ask for, and what
/// belongs to no transaction.
struct Reading<Layout: RecordLayout>: ~Copyable {
  var groupers: FixedList<Grouper<Layout>>
  /// What the routes depend on.
  var wish = PickWish()
  /// Whether it is noted for another run what is ended by force.
  var notesForced = false
  /// Whether groups that had to be ended are left out, as what they lack may be what couldn't be read.
  var withholdsForced = false
  /// Whether what is read had been read by an earlier run.
  var isRepeating = false
  /// Whether a route takes single records.
  var takesRecords = false
  /// For each grouper, what makes its groups.
  var ways: [GroupingOptions] = []
  /// For each grouper, whether it has begun in the course of the log: what it doesn't know may be whole all the same.
  var isLate: [Bool] = []
  /// Pieces of transactions whose beginning was never seen.
  var strays = StrayPieces()

  /// Nothing is made of the records.
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
  /// Makes the routes fit a log, and what groups its records for them.
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
    // What has opened inputs and outputs isn't needed while they are read and written.
    ProgramCode.release()
    return reading
  }

  /// Has each route know which grouper it takes groups from.
  ///
  /// - Returns: what makes the groups of each, and whether a route takes single records.
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
    // What is put in order must have its time.
    if input.merges, let numbering = log.numbering, let number = TagTable(numbering).number(of: .timestamp) {
      options.kept.want(number)
    }
    return options
  }

  /// Has the records be picked that the routes depend on.
  func letPick<Layout: RecordLayout>(_ reading: inout Reading<Layout>) {
    let wishes = reading.ways.indices.map { way in
      var wish = PickWish()
      for index in 0..<routes.count where routes[index].grouper == way { wish.formUnion(routes[index].wish) }
      // A grouper that doesn't keep everything stores what was picked, and may keep more than is wanted now.
      let kept = reading.groupers[way].kept
      if !wish.isEmpty, !kept.contains(.all) { wish.formUnion(kept) }
      wish.unwantedSide = reading.ways[way].unwantedSide
      return wish
    }
    reading.wish = wishes.dropFirst().reduce(into: wishes.first ?? PickWish()) { $0.formUnion($1) }
  }

  /// Ends reading a log: what is open is thrown away.
  mutating func end<Layout: RecordLayout>(_ reading: inout Reading<Layout>) {
    for way in 0..<reading.groupers.count {
      for index in 0..<routes.count where routes[index].grouper == way {
        routes[index].count(reading.groupers[way].statistics)
      }
      reading.groupers[way].discardOpen()
    }
  }
}
