import Spool
import Synchronization

/// Decides which thread may use the consumer's end of a spool: the output's thread or, when that hangs in a
/// call of its sink, the thread that ends the output.
///
/// The output's thread announces a call that may hang, and finds out on its return whether it still has the
/// reader. So only one thread uses the reader at any time, which makes sharing it sound.
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

  /// Announces a call that may hang; for the output's thread.
  func release() { holder.store(Holder.none, ordering: .releasing) }

  /// Takes the reader back after the call; false if it was taken away meanwhile.
  func resume() -> Bool {
    holder.compareExchange(expected: Holder.none, desired: Holder.thread, ordering: .acquiringAndReleasing)
      .exchanged
  }

  /// Takes the reader away from the output's thread; false unless that is in a call of its sink.
  func seize() -> Bool {
    holder.compareExchange(expected: Holder.none, desired: Holder.ender, ordering: .acquiringAndReleasing)
      .exchanged
  }
}
