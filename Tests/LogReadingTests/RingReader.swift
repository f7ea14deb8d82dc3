import VarnishLog
import LogReading
import TestSupport

/// Reads a played worker's log through the same steps as the program.
struct RingReader: ~Copyable {
  private var follower: InstanceFollower
  private var ring: LiveRing?

  /// Attaches to the instance's log.
  init(_ path: String, start: LogStart, stopsAtTail: Bool = false) throws {
    follower = InstanceFollower(path: path)
    follower.refresh()
    ring = try follower.attach(start: start, stopsAtTail: stopsAtTail)
    switch ring {
    case .some: break
    case nil: throw SupportError("no log in \(path): \(follower.trouble)")
    }
  }

  /// The result of reading for a while.
  struct Take {
    /// The payloads of all records with text, in order.
    var texts: [String] = []
    /// The place of each of these records in the log.
    var places: [UInt64] = []
    /// How many runs of records there were, including those overwritten meanwhile.
    var runs = 0
    var lostBytes: [Int] = []
    var damages: [String] = []
    /// Whether reading stopped at an end of the log, rather than because there was nothing more yet.
    var ended = false
  }

  /// Reads until there is nothing more, for now or for ever, but at most `runsMax` runs.
  mutating func take(runsMax: Int = .max) throws -> Take {
    switch ring.take() {
    case .turning(var ring):
      let take = try Self.take(&ring, runsMax)
      self.ring = .turning(ring)
      return take
    case .narrow(var ring):
      let take = try Self.take(&ring, runsMax)
      self.ring = .narrow(ring)
      return take
    case .wide(var ring):
      let take = try Self.take(&ring, runsMax)
      self.ring = .wide(ring)
      return take
    case .old20(var ring):
      let take = try Self.take(&ring, runsMax)
      self.ring = .old20(ring)
      return take
    case .old21(var ring):
      let take = try Self.take(&ring, runsMax)
      self.ring = .old21(ring)
      return take
    case .old30(var ring):
      let take = try Self.take(&ring, runsMax)
      self.ring = .old30(ring)
      return take
    case nil: throw SupportError("reading failed before")
    }
  }

  /// The position at which reading would resume.
  func nextPosition() throws -> LogPosition {
    switch ring {
    case .turning(let ring): ring.nextPosition
    case .narrow(let ring): ring.nextPosition
    case .wide(let ring): ring.nextPosition
    case .old20(let ring): ring.nextPosition
    case .old21(let ring): ring.nextPosition
    case .old30(let ring): ring.nextPosition
    case nil: throw SupportError("reading failed before")
    }
  }

  /// The reader's offset, and its lag in bytes.
  mutating func place() throws -> (offset: Int, lag: Int) {
    switch ring.take() {
    case .turning(let ring):
      let place = (ring.readOffset, ring.lagBytes)
      self.ring = .turning(ring)
      return place
    case .narrow(let ring):
      let place = (ring.readOffset, ring.lagBytes)
      self.ring = .narrow(ring)
      return place
    case .wide(let ring):
      let place = (ring.readOffset, ring.lagBytes)
      self.ring = .wide(ring)
      return place
    case .old20(let ring):
      let place = (ring.readOffset, ring.lagBytes)
      self.ring = .old20(ring)
      return place
    case .old21(let ring):
      let place = (ring.readOffset, ring.lagBytes)
      self.ring = .old21(ring)
      return place
    case .old30(let ring):
      let place = (ring.readOffset, ring.lagBytes)
      self.ring = .old30(ring)
      return place
    case nil: throw SupportError("reading failed before")
    }
  }

  /// The result of starting at the given position.
  var resumption: LogResumption? {
    switch ring {
    case .some(let ring): ring.resumption
    case nil: nil
    }
  }

  private static func take<Source: LiveSource & ~Copyable>(
    _ ring: inout Source, _ runsMax: Int
  ) throws -> Take {
    var take = Take()
    while take.runs < runsMax {
      switch try ring.next() {
      case .records(let run):
        var cursor = run.makeCursor()
        var texts: [String] = []
        var places: [UInt64] = []
        while let record = cursor.next() {
          let text = record.payload.droppingFinalNULs.text
          guard !text.isEmpty else { continue }
          texts.append(text)
          places.append(run.place(of: record))
        }
        take.runs += 1
        guard ring.isIntact else { continue }
        take.texts += texts
        take.places += places
      case .idle, .gap: return take
      case .end:
        take.ended = true
        return take
      case .overrun(let lostBytes): take.lostBytes.append(lostBytes)
      case .damaged(let error):
        take.damages.append(error.description)
        return take
      }
    }
    return take
  }
}
