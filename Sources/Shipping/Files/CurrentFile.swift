import Checkpoints
import Platform

/// The file that is being written.
struct CurrentFile {
  /// When it is the next one's turn.
  enum Turn {
    /// Once this one has so many bytes, or its period is over.
    case due(byteCount: Int)
    /// It couldn't be put away: not before it has so many bytes, or its period is over and the steady clock says
    /// so much.
    case postponed(byteCount: Int, untilNanoseconds: Int64)
    /// As soon as what is in memory is in it: another process may have moved it.
    case letGo

    /// The size at which the file is put away.
    var byteCount: Int {
      switch self {
      case .due(let byteCount), .postponed(let byteCount, _): byteCount
      case .letGo: .max
      }
    }

    /// When it may be put away because its period is over.
    var retryNanoseconds: Int64 {
      if case .postponed(_, let nanoseconds) = self { nanoseconds } else { 0 }
    }
  }

  let file: EntryFile
  /// Its number among the files of its output; 0 where there is one file only.
  let number: Int64
  /// The permissions of the one before it.
  let inherited: FileAttributes?
  /// The period that it belongs to.
  var period: Int64?
  var turn: Turn

  /// Where it ends.
  var place: OutputPlace { OutputPlace(file: file.identity, number: number, byteCount: file.byteCount) }
}
