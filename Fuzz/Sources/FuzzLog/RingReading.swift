import FuzzSupport
import LogReading
import VarnishLog

/// Follows an instance as a live run does, until its log no longer changes.
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
      read(ring, endsAt: mappedByteCount, isSegment: true, writer)
    } catch {
      require(!error.description.isEmpty, "an error without a text")
    }
    follower.refresh()
  }

  /// Follows a single-file log, through all changes of the file.
  func follow(_ instance: consuming InstanceFollower, byteCount: Int, _ writer: RingWriter) {
    var follower = instance
    var now: Int64 = 1_000_000_000
    // Each of the writer's steps may make the log anew.
    for round in 0..<18 {
      follower.refresh(at: now)
      now += 700_000_000
      _ = follower.takeRestart()
      _ = follower.takeOrphaning(at: now)
      require(!follower.trouble.isEmpty && follower.successor?.isEmpty != true, "no words")
      guard round == 0 || follower.isStale else { break }
      do throws(LogError) {
        guard let ring = try follower.attach(start: round == 0 ? start : .head, stopsAtTail: stopsAtTail)
        else {
          if writer.isDone { break }
          writer.step()
          continue
        }
        read(ring, endsAt: byteCount, isSegment: false, writer)
      } catch {
        require(!error.description.isEmpty, "an error without a text")
        if writer.isDone { break }
        writer.step()
      }
    }
  }

  private func read(
    _ ring: consuming LiveRing, endsAt byteCount: Int?, isSegment: Bool, _ writer: RingWriter
  ) {
    switch consume ring {
    case .turning(var ring): read(&ring, numbering: .v40, byteCount, isSegment: isSegment, writer)
    case .narrow(var ring): read(&ring, numbering: .v41, byteCount, isSegment: isSegment, writer)
    case .wide(var ring):
      let probe = ring.probe()
      read(&ring, numbering: probe.result ?? probe.fallback, byteCount, isSegment: isSegment, writer)
    // These sources hand over copies.
    case .old20(var ring): drain(&ring, numbering: .v73, nil, writer)
    case .old21(var ring): drain(&ring, numbering: .v73, nil, writer)
    case .old30(var ring): drain(&ring, numbering: .v73, nil, writer)
    }
  }

  private func read<Source: LiveSource & ~Copyable>(
    _ ring: inout Source, numbering: TagNumbering, _ byteCount: Int?, isSegment: Bool, _ writer: RingWriter
  ) {
    guard let anywhere = UnsafeRawPointer(bitPattern: 1 << 30) else { violated("no pointer") }
    let mapping = anywhere - ring.offset(of: anywhere)
    let known = byteCount ?? SegmentHead.byteCount + ring.byteCount
    let first = isSegment ? SegmentHead.byteCount : 0
    let bounds = first..<(isSegment ? SegmentHead.byteCount + ring.byteCount : known)
    withGuardedTail(of: mapping, byteCount: known) {
      drain(&ring, numbering: numbering, bounds, writer)
    }
  }

  private func drain<Source: LiveSource & ~Copyable>(
    _ ring: inout Source, numbering: TagNumbering, _ bounds: Range<Int>?, _ writer: RingWriter
  ) {
    var lines = LineMaker<Source.Layout>(scenario, numbering: numbering, rendersAgain: true)
    let picks = PickCheck(numbering)
    picks.begin(&ring)
    // Each word of a ring can begin a record at most once, before and after each step of the writer; a reader
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
        let step = try ring.next()
        require(stepsLeft > 0, "a log that never comes to rest: \(step) at \(ring.nextPlace)")
        switch step {
        case .records(let run):
          if let bounds {
            let from = ring.offset(of: run.start)
            require(
              from >= bounds.lowerBound && from + run.byteCount <= bounds.upperBound,
              "records from \(from) on, \(run.byteCount) bytes of a ring that lies in \(bounds)")
          }
          picks.check(run, ring)
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
        case .idle, .end, .gap:
          lines.finish()
          return
        }
      }
    } catch {
      lines.finish()
    }
  }
}
