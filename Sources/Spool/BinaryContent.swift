import Platform

/// The format of the records that one output writes instead of lines, and the kind of its files once known.
///
/// The header of a file depends on the log, which may not be there yet when the output is opened; it is
/// needed when the first record is written.
public final class BinaryContent: Sendable {
  package let format: any BinaryFormat
  private let begun = Guarded<BinaryKind?>(nil)

  /// The format of the records; their kind isn't known yet.
  public init(_ format: some BinaryFormat) { self.format = format }

  /// Sets the kind of the records; from any thread, before the first record.
  ///
  /// - Returns: false if files of another kind have been begun already.
  public func begin(_ kind: BinaryKind) -> Bool {
    begun.withLock { begun in
      let isFirst = begun == nil
      begun = begun ?? kind
      return isFirst || begun == kind
    }
  }

  /// The kind of the records; nil as long as it isn't set.
  package var current: BinaryKind? { begun.withLock { $0 } }
}

/// Compared by identity: it belongs to one run, and an object with the same content is a different one.
extension BinaryContent: Equatable {
  /// Whether both are the same object.
  public static func == (one: BinaryContent, other: BinaryContent) -> Bool { one === other }
}
