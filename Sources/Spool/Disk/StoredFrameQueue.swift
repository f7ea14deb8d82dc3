/// Frames on disk in their order.
///
/// Frames that were taken are released at once: a frame keeps its file open, and an open file keeps its room
/// on the disk, whether or not it was removed.
struct StoredFrameQueue {
  /// Frames that were taken are nil, and are removed once they are more than half.
  private var places: [SpoolDisk.StoredFrame?]
  private var head = 0

  init(_ frames: [SpoolDisk.StoredFrame] = []) { places = frames }

  /// All frames that weren't taken.
  var all: [SpoolDisk.StoredFrame] { places[head...].compactMap { $0 } }

  /// The youngest frame.
  var last: SpoolDisk.StoredFrame? { head < places.count ? places[places.count - 1] : nil }

  mutating func append(_ frame: SpoolDisk.StoredFrame) { places.append(frame) }

  mutating func popFirst() -> SpoolDisk.StoredFrame? {
    guard head < places.count, let first = places[head] else { return nil }
    places[head] = nil
    head += 1
    if head * 2 > places.count {
      places.removeFirst(head)
      head = 0
    }
    return first
  }

  /// Puts the frame back that was taken last.
  mutating func putBack(_ frame: SpoolDisk.StoredFrame) {
    if head > 0 {
      head -= 1
      places[head] = frame
    } else {
      places.insert(frame, at: 0)
    }
  }
}
