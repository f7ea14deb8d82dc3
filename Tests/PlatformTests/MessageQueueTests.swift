import Platform
import Synchronization
import TestSupport
import Testing

@Suite struct MessageQueueTests {
  /// A destination that accepts nothing until the test opens it.
  private final class Gate: Sendable {
    let isOpen = Atomic(false)
    let opened = WakeSignal()
    let taken = Guarded<[String]>([])

    func take(_ message: MessageQueue.Message) {
      while !isOpen.load(ordering: .acquiring) { opened.wait(nanoseconds: 10_000_000) }
      taken.withLock { $0.append(message.line) }
    }

    func open() {
      isOpen.store(true, ordering: .releasing)
      opened.signal()
    }
  }

  @Test func `messages arrive in order, with the program's name`() {
    let gate = Gate()
    gate.open()
    let queue = MessageQueue { gate.take($0) }
    for number in 0..<100 { queue.say("message \(number)", as: number % 2 == 0 ? "spillway" : nil) }
    queue.flush()
    #expect(
      gate.taken.withLock { $0 }
        == (0..<100).map { $0 % 2 == 0 ? "spillway: message \($0)" : "message \($0)" })
  }

  @Test func `nothing waits for a destination that takes nothing, and what is dropped is counted`() {
    let gate = Gate()
    let queue = MessageQueue { gate.take($0) }
    let text = String(repeating: "x", count: 1000)
    for _ in 0..<500 { queue.say(text, as: "spillway") }
    // This would never return if it waited for the stuck destination.
    queue.flush(nanoseconds: 1_000_000)
    gate.open()
    queue.flush(nanoseconds: 60_000_000_000)
    let lines = gate.taken.withLock { $0 }
    let count = lines.count { $0 == "spillway: \(text)" }
    #expect((50..<100).contains(count))
    #expect(
      lines.last
        == "spillway: \(500 - count) messages were dropped: there was no room for them while none were taken")
    #expect(lines.count == count + 1)
  }

  @Test func `a message larger than all the room is not dropped`() {
    let gate = Gate()
    gate.open()
    let queue = MessageQueue { gate.take($0) }
    let text = String(repeating: "y", count: 1 << 20)
    queue.say(text, as: nil)
    queue.flush(nanoseconds: 60_000_000_000)
    #expect(gate.taken.withLock { $0 } == [text])
  }

  @Test func `what is said from many threads is all said`() {
    let gate = Gate()
    gate.open()
    let queue = MessageQueue { gate.take($0) }
    let threads = (0..<4).map { thread in
      detachedWork { for number in 0..<50 { queue.say("\(thread)-\(number)", as: nil) } }
    }
    for thread in threads { thread.wait(nanoseconds: nil) }
    queue.flush(nanoseconds: 60_000_000_000)
    let lines = gate.taken.withLock { $0 }
    for thread in 0..<4 {
      #expect(lines.filter { $0.hasPrefix("\(thread)-") } == (0..<50).map { "\(thread)-\($0)" })
    }
  }

  /// Runs `body` on a thread of its own, and signals its end.
  private func detachedWork(_ body: @escaping @Sendable () -> Void) -> WakeSignal {
    let end = WakeSignal()
    detachThread {
      body()
      end.signal()
    }
    return end
  }
}
