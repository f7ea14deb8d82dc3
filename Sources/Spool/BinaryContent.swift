import Platform

/// What an output must know to write files of records instead of lines; told by whoever knows the records.
///
/// What a file begins with depends on the log, which may not be there yet when the output is opened; it is
/// needed when the first record is written.
public final class BinaryContent: Sendable {
  /// What the records of a file are; files of different kinds can't be continued with each other's.
  public struct Kind: Sendable, Equatable {
    /// The word that a file begins with.
    public let marker: UInt32
    /// Which of several kinds with that marker, from 1 on; 0 if that can't be told.
    public let variant: UInt8

    /// A kind.
    public init(marker: UInt32, variant: UInt8) {
      self.marker = marker
      self.variant = variant
    }

    package func goes(with other: Kind) -> Bool {
      marker == other.marker && (variant == other.variant || variant == 0 || other.variant == 0)
    }
  }

  /// What a file is, compressed or not; nil if it is no file of records.
  package let kind: @Sendable (_ path: String) -> Kind?
  /// Where the last whole record of a plain file ends; nil if it is no file of records.
  package let wholeByteCount: @Sendable (_ path: String) -> Int?
  private let known = Guarded<Kind?>(nil)

  /// Makes the content of files that these two can look into.
  public init(
    kind: @escaping @Sendable (_ path: String) -> Kind?,
    wholeByteCount: @escaping @Sendable (_ path: String) -> Int?
  ) {
    self.kind = kind
    self.wholeByteCount = wholeByteCount
  }

  /// Says what the records are; from any thread, before the first of them.
  ///
  /// - Returns: false if files of another kind have been begun already.
  public func begin(_ kind: Kind) -> Bool {
    known.withLock { known in
      let isFirst = known == nil
      known = known ?? kind
      return isFirst || known == kind
    }
  }

  /// What the records are; nil as long as nobody has said so.
  package var current: Kind? { known.withLock { $0 } }

  /// What files begin with; nothing as long as nobody has said what they are.
  package var header: [UInt8] {
    guard let current else { return [] }
    return withUnsafeBytes(of: current.marker.littleEndian, Array.init)
  }
}

/// It is a part of one run; another one that says the same is another.
extension BinaryContent: Equatable {
  /// Whether both are the same object.
  public static func == (one: BinaryContent, other: BinaryContent) -> Bool { one === other }
}
