import Checkpoints

/// What the length of a file tells about an earlier run's note of it.
enum NotedLength: Equatable {
  /// The file has what was noted as done, and nothing else.
  case asNoted
  /// The file also has the whole write that had been begun.
  case written
  /// The file has more than was noted as done, which only the earlier run can have written: part of the write
  /// that it had begun, or later entries.
  case unfinished
  /// The file has more than the earlier run has written in all; the write that it had begun, if any, is part
  /// of it.
  case grown(by: Int, isWritten: Bool)
  /// Another process has cut the file; the write that had been begun is in it if the length is exactly that
  /// write's.
  case shortened(isWritten: Bool)

  /// Compares a length with a standing.
  ///
  /// - Parameter mayHaveGoneOn: whether the run may have got further than the standing.
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

  /// Whether the write that had been begun is in the file.
  var hasPending: Bool {
    switch self {
    case .written: true
    case .grown(_, let isWritten), .shortened(let isWritten): isWritten
    case .asNoted, .unfinished: false
    }
  }
}
