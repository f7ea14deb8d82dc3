import VarnishLog

/// A run of records of which each was written by itself, as found in a file.
struct FoundRun {
  var byteCount = 0
  var vxid: UInt64 = 0
  var begins = false
  var ends = false
  var links = 0
  /// Whether more of the file couldn't make it longer.
  var isEnded = false
  /// Records of tags that have no meaning: how many, the first one's tag, and where in the run it stands.
  var unknown: (count: Int, tag: UInt8, offset: Int) = (0, 0, 0)

  /// The shape that the run is known to have.
  func shape<Layout>(_: Layout.Type) -> RecordRun<Layout>.Shape {
    guard begins else { return ends ? .ended : .inner }
    return ends ? links > 0 ? .linked : .plain : .begun
  }
}

extension RunPicks {
  /// How many links one run may have: what one run adds to the grouper's table stays small.
  private static var linksMax: Int { 32 }

  /// Finds records of one transaction that stand together: up to its `End`, another `Begin`, a record of another
  /// transaction or `linksMax` links; and picks records out of them.
  @inline(__always)
  mutating func find(at start: UnsafeRawPointer, byteCount: Int) -> FoundRun {
    var walk = unsafe PickWalk<Layout>(start: start, byteCount: byteCount)
    guard let first = walk.record else { return FoundRun() }
    // The walk is compiled twice, so that it needn't ask at each record whether it picks.
    let picking = picks(first)
    let run = picking ? find(&walk, first.vxid, picks: true) : find(&walk, first.vxid, picks: false)
    if picking {
      unsafe note(walk, of: start, byteCount: run.byteCount)
    } else {
      clear()
    }
    return run
  }

  @inline(__always)
  private func find(_ walk: inout PickWalk<Layout>, _ vxid: UInt64, picks: Bool) -> FoundRun {
    var run = FoundRun()
    run.vxid = vxid
    while true {
      walk.passQuickly(table, into: list, picks: picks)
      guard let record = walk.record else { break }
      guard record.vxid == vxid else {
        run.isEnded = true
        break
      }
      let kind = classes[record.tag]
      let isOdd = kind == .batch || kind == .mark
      if kind == .link { run.links += 1 }
      if isOdd || (walk.byteCount > 0 && (kind == .begin || run.links > Self.linksMax)) {
        run.isEnded = true
        break
      }
      if kind == .unknown {
        if run.unknown.count == 0 { (run.unknown.tag, run.unknown.offset) = (record.tag, walk.byteCount) }
        run.unknown.count += 1
      }
      walk.pass(record, table, into: list, picks: picks)
      if kind == .begin { run.begins = true }
      if kind == .end {
        run.ends = true
        run.isEnded = true
        break
      }
    }
    run.byteCount = walk.byteCount
    return run
  }
}
