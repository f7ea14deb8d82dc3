import Spool
import Synchronization

/// Who has the consumer's end of a spool: the output's thread, or, when that hangs in a call of its sink, the
/// thread that ends the output.
///
/// The output's thread says when it goes into a call that may hang, and finds out on its return whether it still
/// has the reader. So the reader is used by one thread at any time, which makes it sound to share it.
final class ReaderCustody: @unchecked Sendable {
  private enum Holder {
    /// The output's thread uses the reader.
    static let thread: UInt8 = 0
    /// The output's thread is in a call of its sink.
    static let none: UInt8 = 1
    /// The output's thread must not touch the reader any more.
    static let ender: UInt8 = 2
  }

  var reader: SpoolReader
  private let holder = Atomic<UInt8>(Holder.thread)

  init(_ reader: consuming SpoolReader) { self.reader = reader }

  /// Whether the reader was taken away from the output's thread.
  var isSeized: Bool { holder.load(ordering: .acquiring) == Holder.ender }

  /// Whether the output's thread is in a call of its sink.
  var isInSink: Bool { holder.load(ordering: .acquiring) == Holder.none }

  /// Says that a call may hang from now on; for the output's thread.
  func release() { holder.store(Holder.none, ordering: .releasing) }

  /// Ends that; false if the reader was taken away meanwhile.
  func resume() -> Bool {
    holder.compareExchange(expected: Holder.none, desired: Holder.thread, ordering: .acquiringAndReleasing)
      .exchanged
  }

  /// Takes the reader away from a thread that hangs; false if it doesn't, or not in its sink.
  func seize() -> Bool {
    holder.compareExchange(expected: Holder.none, desired: Holder.ender, ordering: .acquiringAndReleasing)
      .exchanged
  }
}
