import Glibc
import Platform
import Synchronization
import TestSupport
import Testing

@Suite struct AsideTests {
  private final class Pipe: Sendable {
    let read: Int32, write: Int32

    init() throws { (read, write) = try makePipe() }

    deinit {
      close(read)
      close(write)
    }

    func fill() {
      var byte: UInt8 = 1
      _ = Glibc.write(write, &byte, 1)
    }
  }

  @Test func `work that ends gives its result`() throws {
    let watched = try Pipe()
    #expect(Aside.run(whileWatching: watched.read, goesOn: { false }) { 42 } == 42)
  }

  @Test func `work that hangs isn't waited for when it is told not to`() throws {
    let watched = try Pipe()
    let never = WakeSignal()
    watched.fill()
    #expect(
      Aside.run(whileWatching: watched.read, goesOn: { false }) {
        never.wait(nanoseconds: nil)
        return 1
      } == nil)
    never.signal()
  }

  @Test func `what is watched may be of no importance`() throws {
    let watched = try Pipe()
    let go = WakeSignal()
    watched.fill()
    let result = Aside.run(
      whileWatching: watched.read,
      goesOn: {
        var byte: UInt8 = 0
        _ = read(watched.read, &byte, 1)
        go.signal()
        return true
      }
    ) {
      go.wait(nanoseconds: nil)
      return "done"
    }
    #expect(result == "done")
  }

  @Test func `an event announced before it is waited for isn't lost, and ends one wait`() {
    let event = WakeSignal()
    event.signal()
    event.signal()
    #expect(event.wait(nanoseconds: nil))
    #expect(!event.wait(nanoseconds: 1_000_000))
  }
}
