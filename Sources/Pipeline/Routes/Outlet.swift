import Platform
import Shipping
import Spool

/// Where a route's entries go.
enum Outlet: ~Copyable {
  /// The spool of an output that is open.
  case open(Output)
  /// Memory, until the output can be opened.
  case late(LateOutput)
  /// Memory still, while waiting entries move into the spool of the output, which is open by now.
  case catchingUp(Transfer)

  /// The output; nil as long as it isn't open.
  var output: Output? {
    switch self {
    case .open(let output): output
    case .late: nil
    case .catchingUp(let transfer): transfer.output
    }
  }

  /// The output that waits to be opened; nil if it is open.
  var late: LateOutput? {
    switch self {
    case .late(let late): late
    case .open: nil
    case .catchingUp: nil
    }
  }

  /// Whether entries go straight into the spool of the output.
  var isOpen: Bool {
    switch self {
    case .open: true
    case .late: false
    case .catchingUp: false
    }
  }

  /// Stops waiting for room in the spools.
  func endWaiting() {
    switch self {
    case .open(let output): output.endWaiting()
    case .late(let late): late.spool.endWaiting()
    case .catchingUp(let transfer):
      transfer.waiting.endWaiting()
      transfer.output.endWaiting()
    }
  }

  /// Makes the only writer of the spool that takes the route's entries.
  func makeWriter() -> SpoolWriter {
    switch self {
    case .open(let output): output.makeWriter()
    case .late(let late): late.spool.makeWriter()
    case .catchingUp(let transfer): transfer.waiting.makeWriter()
    }
  }
}

/// Moving entries from the spool in which they have waited into that of their output.
struct Transfer: ~Copyable {
  let output: Output
  /// The spool in which entries have waited, and still arrive.
  let waiting: Spool
  private var reader: SpoolReader
  /// The writer of the output's spool, which becomes the route's once all entries have been moved.
  private(set) var writer: SpoolWriter

  init(from waiting: Spool, to output: Output) {
    self.output = output
    self.waiting = waiting
    reader = waiting.makeReader()
    writer = output.makeWriter()
  }

  /// Moves entries until none are left, the output's spool has no room, or `byteCountMax` bytes have been
  /// moved.
  ///
  /// - Returns: whether none are left.
  mutating func move(byteCountMax: Int) -> Bool {
    var movedBytes = 0
    while movedBytes < byteCountMax {
      // The waiting entries are in memory alone, where reading doesn't fail.
      guard let batch = try? reader.next(), batch.count > 0 else { break }
      for index in 0..<batch.count {
        let entry = unsafe batch.entry(index)
        guard case .room(let room) = writer.reserve(entry.count) else {
          reader.take(index == 0 ? 0 : batch.endOffset(of: index - 1))
          writer.publish()
          return false
        }
        unsafe room.copyMemory(from: entry)
        writer.commit(entry.count, batch.mark(of: index))
      }
      movedBytes += batch.byteCount
      reader.take(batch.byteCount)
    }
    writer.publish()
    return waiting.usage.waiting.entries == 0
  }

  /// Returns the writer of the output's spool, after all entries have been moved.
  consuming func finish() -> SpoolWriter { writer }
}
