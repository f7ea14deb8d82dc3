/// Tries every order in which writers' stores and a reader's loads can happen.
///
/// A thread's stores may become visible in another order than the program's, as far as nothing orders them: a
/// releasing store becomes visible after all stores before it, a fence separates the stores before it from
/// those after it, and stores to one place stay in order. The reader's loads happen in order, as its own
/// fences ensure. Stores made with the lock held are visible before the next thread has the lock.
struct RingExplorer {
  let log: ModelLog
  let threadCount: Int
  /// Whether stores may become visible in another order than the program's.
  var reorders = true
  /// Whether unfinished pieces hold back other threads, as they do in the writer; a test turns this off to
  /// show that it is needed.
  var respectsPins = true

  /// A thread's work: the piece that it writes, and which of its stores are visible.
  private struct Work: Hashable {
    let piece: Int
    var seen: UInt32
  }

  private struct State: Hashable {
    var next = 0
    var works: [Work?]
    var reader = RingModelReader()
    var lastDelivered = -1
    /// Whether records may be missing before the next: at the beginning, and after an overrun.
    var mayHaveLost = true
  }

  private struct Node {
    var state: State
    var memory: ModelMemory
  }

  /// The result of a search.
  struct Findings {
    var stateCount = 0
    var deliveredCount = 0
    var overrunCount = 0
    var idleCount = 0
    /// The largest number of pieces that were unfinished at the same time.
    var unfinishedMax = 0
    var violation: String?
  }

  /// Visits all states; stops at the first violation.
  func explore() -> Findings {
    var findings = Findings()
    let head = State(works: Array(repeating: nil, count: threadCount))
    var tail = head
    tail.reader.startsAtTail = true
    var visited: Set<State> = [head, tail]
    var stack = [head, tail].map { Node(state: $0, memory: log.emptyMemory) }
    while let node = stack.popLast() {
      findings.stateCount += 1
      var successors: [Node] = []
      addWriterSteps(of: node, to: &successors)
      findings.unfinishedMax = max(findings.unfinishedMax, node.state.works.count { $0 != nil })
      if let violation = addReaderStep(of: node, to: &successors, &findings) {
        findings.violation = violation
        return findings
      }
      for successor in successors where visited.insert(successor.state).inserted { stack.append(successor) }
    }
    return findings
  }

  // MARK: Writers

  private func addWriterSteps(of node: Node, to successors: inout [Node]) {
    for thread in 0..<threadCount {
      if let work = node.state.works[thread] {
        addStores(work, thread, of: node, to: &successors)
      } else if thread == node.state.works.firstIndex(of: nil), mayReserve(node.state) {
        // The threads are alike, so only the first idle one takes the next piece.
        var successor = node
        successor.state.works[thread] = Work(piece: node.state.next, seen: 0)
        successor.state.next += 1
        successors.append(successor)
      }
    }
  }

  private func mayReserve(_ state: State) -> Bool {
    guard state.next < log.pieces.count else { return false }
    let works = state.works.compactMap { $0 }
    let lockIsHeld = works.contains { work in
      let piece = log.pieces[work.piece]
      return (0..<piece.lockedCount).contains { work.seen & 1 << $0 == 0 }
    }
    if lockIsHeld { return false }
    return !respectsPins || log.canReserve(state.next, unfinished: works.map(\.piece))
  }

  private func addStores(_ work: Work, _ thread: Int, of node: Node, to successors: inout [Node]) {
    let stores = log.pieces[work.piece].stores
    for index in stores.indices where canBeSeen(index, work, stores) {
      var successor = node
      successor.memory.apply(stores[index])
      let seen = work.seen | 1 << index
      let isDone = seen == 1 << stores.count - 1
      successor.state.works[thread] = isDone ? nil : Work(piece: work.piece, seen: seen)
      successors.append(successor)
    }
  }

  private func canBeSeen(_ index: Int, _ work: Work, _ stores: [ModelStore]) -> Bool {
    guard work.seen & 1 << index == 0 else { return false }
    if !reorders { return work.seen == 1 << index - 1 }
    // A fence is passed as soon as all stores in front of it are visible.
    let waitsForAll = stores[index].isReleasing || stores[index] == .fence
    var mustBeSeen = false
    for earlier in stride(from: index - 1, through: 0, by: -1) {
      if stores[earlier] == .fence { mustBeSeen = true }
      let isSeen = work.seen & 1 << earlier != 0
      if !isSeen, waitsForAll || mustBeSeen || stores[earlier].collides(with: stores[index]) { return false }
    }
    return true
  }

  // MARK: The reader

  private func addReaderStep(
    of node: Node, to successors: inout [Node], _ findings: inout Findings
  ) -> String? {
    var successor = node
    let outcome = successor.state.reader.step(node.memory, eighthWords: log.eighthWords)
    switch outcome {
    case .goingOn: break
    case .idle:
      findings.idleCount += 1
      let isComplete = node.state.next == log.pieces.count && node.state.works.allSatisfy { $0 == nil }
      if isComplete, let problem = settle(successor) { return problem }
    case .overrun, .discarded:
      findings.overrunCount += 1
      successor.state.mayHaveLost = true
    case .damaged(let problem): return problem
    case .delivered(let words):
      findings.deliveredCount += 1
      guard let number = log.pieces.firstIndex(where: { $0.words == words }) else {
        return "torn or mixed: \(words.map { String($0, radix: 16) })"
      }
      let last = node.state.lastDelivered
      guard number > last else { return "record \(number) after \(last)" }
      if !node.state.mayHaveLost, number != last + 1 { return "record \(number) after \(last), unsaid" }
      successor.state.lastDelivered = number
      successor.state.mayHaveLost = false
    }
    successors.append(successor)
    return nil
  }

  /// Lets only the reader run when everything has been written: it must end behind the last record.
  private func settle(_ node: Node) -> String? {
    var reader = node.state.reader
    var last = node.state.lastDelivered
    while true {
      switch reader.step(node.memory, eighthWords: log.eighthWords) {
      case .goingOn, .overrun, .discarded: continue
      case .damaged(let problem): return problem
      case .delivered(let words): last = log.pieces.firstIndex { $0.words == words } ?? -1
      case .idle:
        // A reader that begins with the newest segment when there is nothing in it yet has nothing to read.
        let isComplete = last == log.pieces.count - 1 || last == -1 && node.state.mayHaveLost
        return isComplete ? nil : "the end is seen after record \(last)"
      }
    }
  }
}
