import Platform

/// Where an output notes how far it is; used by the output's thread.
public final class OutputPart: @unchecked Sendable {
  // Sendable: only the output's thread uses it.

  /// The output's name.
  public let name: String
  private let memory: CheckpointMemory
  private let live: TwinRecord, synced: TwinRecord
  private let syncedOffset: Int
  private var words = WordWriter()
  /// What was noted last, perhaps by an earlier run; nil if nothing was.
  public private(set) var standing: OutputStanding?

  init(_ name: String, _ memory: CheckpointMemory, live: TwinRecord, synced: TwinRecord, offset: Int) {
    self.name = name
    self.memory = memory
    self.live = live
    self.synced = synced
    syncedOffset = offset + 2 * CheckpointLayout.outputCopyBytes
    // A damaged copy was reported when the file was opened.
    if let words = live.load().words {
      var reader = WordReader(words)
      if reader.text() == name { standing = OutputStanding(from: &reader) }
    }
    _ = synced.load()
  }

  /// Notes how far the output is.
  ///
  /// - Parameter isTurn: whether nothing that was noted before may count any more, even if this copy gets damaged:
  ///   the output has begun another file.
  public func note(_ standing: OutputStanding, isTurn: Bool = false) {
    guard standing != self.standing || isTurn else { return }
    let isFirst = self.standing == nil
    encode(standing)
    live.store(words.words)
    if isTurn || isFirst { live.store(words.words) }
    self.standing = standing
    FaultPoint.checkpointOutputNoted.pass()
  }

  /// Replaces the older copy, too, by what was noted last.
  public func noteAgain() {
    guard let standing else { return }
    encode(standing)
    live.store(words.words)
  }

  /// Notes that all that was noted is on the disk.
  public func noteSynced() {
    guard let standing else { return }
    encode(standing)
    synced.store(words.words)
    memory.sync(offset: syncedOffset, byteCount: 2 * CheckpointLayout.outputCopyBytes)
  }

  private func encode(_ standing: OutputStanding) {
    words.removeAll()
    words.put(name)
    standing.encode(to: &words)
  }
}
