import Checkpoints

/// What the length of a file tells of what an earlier run had noted of it.
enum NotedLength: Equatable {
  /// All that was noted as done, and nothing else.
  case asNoted
  /// The write that had been begun has happened as a whole.
  case written
  /// There is more than was noted as done, and what it is can only be the earlier run's: part of the write that it had
  /// begun, or what it has written since.
  case unfinished
  /// There is more than the earlier run has written, in all; what it had begun to write, if anything, is part of it.
  case grown(by: Int, isWritten: Bool)
  /// Another process has cut the file; what was begun to be written is in it if it has just that length.
  case shortened(isWritten: Bool)

  /// - Parameter mayHaveGoneOn: whether the standing needn't be the last one.
  init(_ byteCount: Int, of standing: OutputStanding, at place: OutputPlace, mayHaveGoneOn: Bool) {
    let pending = standing.pending.map(\.byteCount).flatMap { $0 > place.byteCount ? $0 : nil }
    if byteCount == place.byteCount {
      self = .asNoted
    } else if byteCount < place.byteCount {
      self = .shortened(isWritten: pending.map { $0 - place.byteCount } == byteCount)
    } else if byteCount == pending {
      self = .written
    } else if mayHaveGoneOn || byteCount < pending ?? 0 {
      self = .unfinished
    } else {
      self = .grown(by: byteCount - (pending ?? place.byteCount), isWritten: pending != nil)
    }
  }

  /// Whether what had been begun to be written is in the file.
  var hasPending: Bool {
    switch self {
    case .written: true
    case .grown(_, let isWritten), .shortened(let isWritten): isWritten
    case .asNoted, .unfinished: false
    }
  }
}
