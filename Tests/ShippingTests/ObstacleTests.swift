import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

@Suite struct ObstacleTests {
  /// A sink that at first asks to wait for a descriptor that never becomes writable, as if its number had
  /// been given to another file meanwhile, and then takes everything.
  private final class FickleSink: Sink {
    let name = "fickle"
    private let descriptor: Int32
    private var hasRefused = false

    init(descriptor: Int32) { self.descriptor = descriptor }

    func tick(at now: Moment) throws(SystemError) -> Int64? { 1_000_000 }

    func write(_ batch: EntryBatch, at now: Moment) throws(SystemError) -> SinkProgress {
      defer { hasRefused = true }
      return hasRefused
        ? SinkProgress(byteCount: batch.byteCount)
        : SinkProgress(byteCount: 0, obstacle: .unwritable(descriptor))
    }
  }

  @Test func aSinkThatHasFoundAnotherWayIsAskedAgainByTheClock() throws {
    let pipe = TestPipe()
    let output = try Output(to: FickleSink(descriptor: pipe.readEnd))
    var writer = output.makeWriter()
    writer.append("line")
    writer.finish()
    #expect(output.join(drainSeconds: 10).written.entries == 1)
  }
}
