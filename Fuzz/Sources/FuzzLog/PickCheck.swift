import FuzzSupport
import LogReading
import VarnishLog

/// Compares the records that a source picks out of a transaction with those that a walk through all records
/// finds.
struct PickCheck {
  private let tags: TagTable
  private let all: UInt8, some: UInt8
  private static let name = Array("host:".utf8)

  init(_ numbering: TagNumbering) {
    tags = TagTable(numbering)
    all = tags.number(of: .vclCall) ?? 0
    some = tags.number(of: .reqHeader) ?? 0
  }

  /// Has a source pick some records.
  func begin<Source: LogSource & ~Copyable>(_ source: inout Source) {
    var wish = PickWish()
    wish.want(all)
    wish.want(some, beginningWith: [Self.name])
    source.pick(wish, tags)
  }

  /// Checks a run that the source has just handed over.
  func check<Source: LogSource & ~Copyable>(_ run: RecordRun<Source.Layout>, _ source: borrowing Source) {
    guard let picked = source.picked(of: run) else { return }
    let end = run.start + run.byteCount
    var next = 0
    for record in picked.records {
      require(
        record.address >= run.start && record.address + record.bytes.count <= end, "picked outside of its run"
      )
    }
    var cursor = run.makeCursor()
    while let record = cursor.next() {
      let isNamed =
        record.tag == some && record.payload.count >= Self.name.count
        && zip(record.payload.buffer, Self.name).allSatisfy { ASCII.lowercased($0) == $1 }
      let isPicked = next < picked.records.count && picked.records[next].address == record.address
      require(isPicked || !(isNamed || record.tag == all), "a record that is wanted isn't picked")
      if isPicked { next += 1 }
    }
    require(next == picked.records.count, "what was picked isn't in order")
  }
}
