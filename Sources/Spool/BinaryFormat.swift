/// What an output must know of files of records to write them.
///
/// The code that makes the records provides it, and the output is given it when it is made.
public protocol BinaryFormat: Sendable {
  /// What a file is, compressed or not; nil if it is no file of records.
  func kind(ofFile path: String) -> BinaryKind?

  /// Where the last whole record of a plain file ends; nil if it is no file of records.
  func wholeByteCount(ofFile path: String) -> Int?

  /// What files of a kind begin with.
  func header(of kind: BinaryKind) -> [UInt8]
}

/// What the records of a file are; files of different kinds can't be continued with each other's.
public struct BinaryKind: Sendable, Equatable {
  /// The word that a file begins with.
  public let marker: UInt32
  /// Which of several kinds with that marker, from 1 on; 0 if that can't be told.
  public let variant: UInt8

  /// A kind.
  public init(marker: UInt32, variant: UInt8) {
    self.marker = marker
    self.variant = variant
  }

  package func goes(with other: BinaryKind) -> Bool {
    marker == other.marker && (variant == other.variant || variant == 0 || other.variant == 0)
  }
}
