import Platform

/// Where a run notes how it reads its log; used by the thread that reads.
public final class ReadingPart {
  private let record: TwinRecord
  private var words = WordWriter()

  init(_ record: TwinRecord) {
    self.record = record
    _ = record.load()
  }

  /// Notes how the log is read.
  ///
  /// - Returns: false if there is no room for so much; then the note before it stays.
  @discardableResult
  public func note(_ standing: ReadingStanding) -> Bool {
    words.removeAll()
    standing.encode(to: &words)
    guard record.store(words.words) else { return false }
    FaultPoint.checkpointReadingNoted.pass()
    return true
  }

  /// Replaces the older copy, too, by what was noted last; nothing happens before the first time.
  public func noteAgain() {
    // A run that ends before it has found its log leaves what an earlier run has noted.
    if !words.words.isEmpty { record.store(words.words) }
  }
}
