import LogReading
import TestSupport
import VarnishLog

/// Returns the records of a log in the runs in which they were written.
struct RawReader: ~Copyable {
  struct Record {
    let tag: UInt8
    let vxid: UInt64
    let side: Side
    let text: String
  }

  var includesUnattributed = false
  private var follower: InstanceFollower
  private var ring: LiveRing?

  /// Attaches to the beginning of the log in a directory.
  init(_ path: String) throws {
    follower = InstanceFollower(path: path)
    follower.refresh()
    ring = try follower.attach(start: .head, stopsAtTail: false)
  }

  /// The runs that have come since the last call.
  mutating func runs() throws -> [[Record]] {
    switch ring.take() {
    case .turning(var ring):
      let runs = try read(&ring)
      self.ring = .turning(ring)
      return runs
    case .narrow(var ring):
      let runs = try read(&ring)
      self.ring = .narrow(ring)
      return runs
    case .wide(var ring):
      let runs = try read(&ring)
      self.ring = .wide(ring)
      return runs
    case .old20(var ring):
      let runs = try read(&ring)
      self.ring = .old20(ring)
      return runs
    case .old21(var ring):
      let runs = try read(&ring)
      self.ring = .old21(ring)
      return runs
    case .old30(var ring):
      let runs = try read(&ring)
      self.ring = .old30(ring)
      return runs
    case nil: throw SupportError("no log: \(follower.trouble)")
    }
  }

  private func read<Source: LiveSource & ~Copyable>(_ ring: inout Source) throws -> [[Record]] {
    ring.includesUnattributed = includesUnattributed
    var runs: [[Record]] = []
    while case .records(let run) = try ring.next() {
      var cursor = run.makeCursor()
      var records: [Record] = []
      while let record = cursor.next() {
        records.append(
          Record(
            tag: record.tag, vxid: record.vxid, side: record.side,
            text: record.payload.droppingFinalNULs.text))
      }
      runs.append(records)
    }
    return runs
  }
}
