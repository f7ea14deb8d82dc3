import FuzzSupport
import LogReading
import VarnishLog

/// Follows an instance as a live run does, until its log comes to rest.
struct RingReading {
  private let scenario: Scenario
  private let stopsAtTail: Bool
  private let start: LogStart
  private let inPlace: Bool
  private let meddlesWithin: Bool

  init(_ scenario: Scenario) {
    self.scenario = scenario
    stopsAtTail = scenario.details.0 & 4 != 0
    start = scenario.details.0 & 8 != 0 ? .tail : .head
    inPlace = scenario.details.0 & 16 != 0
    meddlesWithin = scenario.details.2 & 1 != 0
  }

  /// Attaches to the log that the instance publishes, if it does, and reads it.
  ///
  /// - Parameter mappedByteCount: how much of the log's file the index names.
  func follow(_ path: String, mappedByteCount: Int?, _ writer: RingWriter) {
    var follower = InstanceFollower(path: path)
    follower.refresh()
    do throws(LogError) {
      guard let ring = try follower.attach(start: start, stopsAtTail: stopsAtTail) else { return }
      switch consume ring {
      case .turning(var ring): read(&ring, numbering: .v40, mappedByteCount, writer)
      case .narrow(var ring): read(&ring, numbering: .v41, mappedByteCount, writer)
      case .wide(var ring):
        let probe = ring.probe()
        read(&ring, numbering: probe.result ?? probe.fallback, mappedByteCount, writer)
      case .old20(var ring):
        read(&ring, numbering: LegacyRing<Records20>.numbering, mappedByteCount, writer)
      case .old21(var ring):
        read(&ring, numbering: LegacyRing<Records21>.numbering, mappedByteCount, writer)
      case .old30(var ring):
        read(&ring, numbering: LegacyRing<Records30>.numbering, mappedByteCount, writer)
      }
    } catch {
      require(!error.description.isEmpty, "an error without a text")
    }
    follower.refresh()
  }

  private func read<Source: LiveSource & ~Copyable>(
    _ ring: inout Source, numbering: TagNumbering, _ mappedByteCount: Int?, _ writer: RingWriter
  ) {
    guard let anywhere = UnsafeRawPointer(bitPattern: 1 << 30) else { violated("no pointer") }
    let mapping = anywhere - ring.offset(of: anywhere)
    let known = mappedByteCount ?? SegmentHead.byteCount + ring.byteCount
    withGuardedTail(of: mapping, byteCount: known) {
      drain(&ring, numbering: numbering, writer)
    }
  }

  private func drain<Source: LiveSource & ~Copyable>(
    _ ring: inout Source, numbering: TagNumbering, _ writer: RingWriter
  ) {
    var lines = LineMaker<Source.Layout>(scenario, numbering: numbering, rendersAgain: true)
    let end = SegmentHead.byteCount + ring.byteCount
    // Every word of a ring can begin a record once, before and after each thing the writer does; a reader
    // that takes more steps goes round in circles.
    let stepsMax = ring.byteCount / 4 + 64
    var stepsLeft = stepsMax
    func meddle() {
      guard meddlesWithin, !writer.isDone else { return }
      writer.step()
      stepsLeft = stepsMax
    }
    do throws(LogError) {
      while true {
        stepsLeft -= 1
        require(stepsLeft > 0, "a log that never comes to rest")
        switch try ring.next() {
        case .records(let run):
          let from = ring.offset(of: run.start)
          require(
            from >= SegmentHead.byteCount && from + run.byteCount <= end,
            "records from \(from) on, \(run.byteCount) bytes of a ring that ends at \(end)")
          lines.add(run, inPlace: inPlace, meddle: meddle) { ring.isIntact }
          if lines.isOversized { lines.flush() }
        case .overrun(let lostBytes):
          require(lostBytes >= 0, "\(lostBytes) bytes lost")
          lines.flush()
        case .damaged(let error):
          require(!error.description.isEmpty, "an error without a text")
          lines.flush()
        case .idle where !writer.isDone:
          lines.expire()
          writer.step()
          stepsLeft = stepsMax
        case .idle, .end:
          lines.finish()
          return
        }
      }
    } catch {
      lines.finish()
    }
  }
}
