import Checkpoints
import Platform

/// The file that is being written.
struct CurrentFile {
  /// When the next file is begun.
  enum Turn {
    /// Once this file has so many bytes, or its period is over.
    case due(byteCount: Int)
    /// The file couldn't be put away: not before it has so many bytes, or its period is over and the steady
    /// clock has reached this time.
    case postponed(byteCount: Int, untilNanoseconds: Int64)
    /// As soon as the entries in memory are in the file: another process may have moved it.
    case letGo

    /// The size at which the file is put away.
    var byteCount: Int {
      switch self {
      case .due(let byteCount), .postponed(let byteCount, _): byteCount
      case .letGo: .max
      }
    }

    /// The earliest time, by the steady clock, to put the file away because its period is over.
    var retryNanoseconds: Int64 {
      if case .postponed(_, let nanoseconds) = self { nanoseconds } else { 0 }
    }
  }

  let file: EntryFile
  /// The file's number among the files of its output; 0 where there is only one file.
  let number: Int64
  /// The permissions of the file before this one.
  let inherited: FileAttributes?
  /// The period that it belongs to.
  var period: Int64?
  var turn: Turn

  /// Where it ends.
  var place: OutputPlace { OutputPlace(file: file.identity, number: number, byteCount: file.byteCount) }
}
