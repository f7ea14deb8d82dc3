import LogWriterSupport
import LogWriting
import TestSupport
import Testing

/// A thread that is stopped while it writes.
struct PinTests {
  @Test func `nobody enters an eighth in which an earlier turn is unfinished`() throws {
    let pins = RingPins()
    var appender = RingAppender(StoreList(), eighthWords: 16, pins: pins)
    // A reservation in the third eighth is left unfinished.
    var slow: RingReservation?
    while slow == nil {
      guard let reservation = appender.reserve(8) else { throw SupportError("nothing is pinned yet") }
      if reservation.start >= 32 { slow = reservation } else { pins.unpin(reservation.eighths) }
    }
    var refused = 0
    var turns = 0
    for _ in 0..<100 {
      guard let reservation = appender.reserve(8) else {
        refused += 1
        continue
      }
      if reservation.wrapped { turns += 1 }
      pins.unpin(reservation.eighths)
    }
    #expect(refused > 50 && turns == 1)
    // The last reservation ends in front of the unfinished one.
    #expect(appender.position < 32)
    pins.unpin(try #require(slow).eighths)
    let next = appender.reserve(8)
    #expect(next != nil)
  }
}
