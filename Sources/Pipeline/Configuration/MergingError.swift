/// Why the entries of several logs can't be put in order for an output.
public enum MergingError: Error, Sendable, CustomStringConvertible {
  /// The output takes single records, which have no time of their own.
  case singleRecords
  /// The output writes a binary log, which tells transactions apart by their numbers alone.
  case binary

  /// A message of one line, which names the options.
  public var description: String {
    switch self {
    case .singleRecords: "--merge puts transactions in order; -g raw shows records"
    case .binary: "--merge: in one binary log, transactions of several logs would have the same numbers"
    }
  }
}
