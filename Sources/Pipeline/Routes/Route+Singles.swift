import Platform
import Rendering
import Spool
import VarnishLog

/// Records of a log that has no transactions, shown as that log's own tools do.
extension Route {
  /// Takes a record in.
  ///
  /// - Returns: whether that gives an entry, which is to be offered.
  mutating func take<Layout: RecordLayout>(single record: Record<Layout>) -> Bool {
    switch shown {
    case .singles(let renderer)?:
      switch renderer.value.take(record) {
      case .entry: return true
      case .absorbed: return false
      case .hidden:
        ledger[.unwanted] += 1
        return false
      case .ended:
        groupsLeft = 0
        return false
      }
    default: return false
    }
  }

  /// Takes all that is open for finished.
  ///
  /// - Returns: whether that gives an entry, which is to be offered.
  mutating func flushSingles() -> Bool {
    switch shown {
    case .singles(let renderer)?: renderer.value.flush()
    default: false
    }
  }

  /// Forgets what is kept for later: something was lost, and what comes may be of another request.
  mutating func forgetSingles() {
    switch shown {
    case .singles(let renderer)?: renderer.value.forget()
    default: break
    }
  }

  /// Writes the entry that there is into the spool.
  mutating func offerSingle() -> Outcome {
    switch shown {
    case .singles(let renderer)?:
      let count = renderer.value.entryByteCount
      guard case .room(let room) = writer.reserve(count) else { return .full }
      var line = unsafe LineWriter(room)
      renderer.value.put(to: &line)
      writer.commit(line.count, marks.next)
      ledger.committed += 1
      return .committed
    default: return .counted
    }
  }
}

extension Run {
  /// Has the routes that take single records take that of a run.
  mutating func takeSingle<Layout: RecordLayout>(_ run: RecordRun<Layout>) {
    var cursor = run.makeCursor()
    guard let record = cursor.next() else { return }
    for index in 0..<routes.count where routes[index].takesSingles && !routes[index].isOver {
      if routes[index].take(single: record) { offerSingle(index, at: logStart &+ run.endPlace) }
      if routes[index].isOver { endIfOver() }
    }
  }

  /// Shows what is open at the end of a log that has no transactions.
  ///
  /// - Parameter place: where it ends.
  mutating func flushSingles(at place: UInt64) {
    for index in 0..<routes.count where routes[index].takesSingles && !routes[index].isOver {
      if routes[index].flushSingles() { offerSingle(index, at: logStart &+ place) }
    }
  }

  /// Has the routes forget what they keep for later: something was lost.
  mutating func forgetSingles() {
    for index in 0..<routes.count { routes[index].forgetSingles() }
  }

  private mutating func offerSingle(_ index: Int, at place: UInt64) {
    routes[index].marks.reach(place)
    if routes[index].marks.isNextDone {
      routes[index].passOver()
      return
    }
    while case .full = routes[index].offerSingle() {
      guard canWait(index) else {
        routes[index].refuse()
        break
      }
      handleCommandsWhileHeldBack()
      routes[index].settle()
    }
    routes[index].marks.advance()
    routes[index].countTaken()
  }
}
