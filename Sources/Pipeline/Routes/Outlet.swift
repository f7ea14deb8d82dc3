import Platform
import Shipping
import Spool

/// Where a route's entries go.
enum Outlet: ~Copyable {
  /// An output, by its spool.
  case open(Output)
  /// Memory, until the output can be opened.
  case late(LateOutput)
  /// Memory still, while what has waited there moves into the spool of the output, which is open by now.
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

  /// Whether entries go straight into the output's own spool.
  var isOpen: Bool {
    switch self {
    case .open: true
    case .late: false
    case .catchingUp: false
    }
  }

  /// Waits for room no longer.
  func endWaiting() {
    switch self {
    case .open(let output): output.endWaiting()
    case .late(let late): late.spool.endWaiting()
    case .catchingUp(let transfer):
      transfer.waiting.endWaiting()
      transfer.output.endWaiting()
    }
  }

  /// The end that entries are rendered into; there is one.
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
  /// The end of the output's spool, which is the route's once all have been moved.
  private(set) var writer: SpoolWriter

  init(from waiting: Spool, to output: Output) {
    self.output = output
    self.waiting = waiting
    reader = waiting.makeReader()
    writer = output.makeWriter()
  }

  /// Moves entries, until there are no more, no room for them, or so many bytes have been moved.
  ///
  /// - Returns: whether there are no more.
  mutating func move(byteCountMax: Int) -> Bool {
    var movedBytes = 0
    while movedBytes < byteCountMax {
      // What waits is in memory alone, where nothing fails.
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

  /// Ends with all entries moved: the writer goes on by itself.
  consuming func finish() -> SpoolWriter { writer }
}
