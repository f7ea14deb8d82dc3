import Platform

/// What one output knows of the records that it writes instead of lines: their format, and what has been begun.
///
/// What a file begins with depends on the log, which may not be there yet when the output is opened; it is
/// needed when the first record is written.
public final class BinaryContent: Sendable {
  package let format: any BinaryFormat
  private let begun = Guarded<BinaryKind?>(nil)

  /// Nothing is begun.
  public init(_ format: some BinaryFormat) { self.format = format }

  /// Says what the records are; from any thread, before the first of them.
  ///
  /// - Returns: false if files of another kind have been begun already.
  public func begin(_ kind: BinaryKind) -> Bool {
    begun.withLock { begun in
      let isFirst = begun == nil
      begun = begun ?? kind
      return isFirst || begun == kind
    }
  }

  /// What the records are; nil as long as nothing has said so.
  package var current: BinaryKind? { begun.withLock { $0 } }
}

/// It is a part of one run; another one that says the same is another.
extension BinaryContent: Equatable {
  /// Whether both are the same object.
  public static func == (one: BinaryContent, other: BinaryContent) -> Bool { one === other }
}
