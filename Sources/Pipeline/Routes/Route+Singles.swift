import Platform
import Rendering
import Spool
import VarnishLog

/// Records of a log that has no transactions, shown as that log's own tools show them.
extension Route {
  /// Gives a record to the renderer.
  ///
  /// - Returns: whether an entry is ready, to be offered with `offerSingle`.
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

  /// Has the renderer finish what is open.
  ///
  /// - Returns: whether an entry is ready, to be offered with `offerSingle`.
  mutating func flushSingles() -> Bool {
    switch shown {
    case .singles(let renderer)?: renderer.value.flush()
    default: false
    }
  }

  /// Forgets what the renderer keeps for later: something was lost, and the next records may be of another
  /// request.
  mutating func forgetSingles() {
    switch shown {
    case .singles(let renderer)?: renderer.value.forget()
    default: break
    }
  }

  /// Writes the entry that is ready into the spool.
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
  /// Hands a run's only record to the routes that take single records.
  mutating func takeSingle<Layout: RecordLayout>(_ run: RecordRun<Layout>) {
    var cursor = run.makeCursor()
    guard let record = cursor.next() else { return }
    for index in 0..<routes.count where routes[index].takesSingles && !routes[index].isOver {
      if routes[index].take(single: record) { offerSingle(index, at: logStart &+ run.endPlace) }
      if routes[index].isOver { endIfOver() }
    }
  }

  /// Finishes what is open at the end of a log that has no transactions.
  ///
  /// - Parameter place: where the log ends.
  mutating func flushSingles(at place: UInt64) {
    for index in 0..<routes.count where routes[index].takesSingles && !routes[index].isOver {
      if routes[index].flushSingles() { offerSingle(index, at: logStart &+ place) }
    }
  }

  /// Has the routes forget what their renderers keep for later, as something was lost.
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
        refuse(index)
        break
      }
      handleCommandsWhileHeldBack()
      routes[index].settle()
    }
    routes[index].marks.advance()
    routes[index].countTaken()
  }
}
