/// What an output must know of files of records to write them.
///
/// Implemented by the code that makes the records, and given to the output when it is made.
public protocol BinaryFormat: Sendable {
  /// The kind of a file, compressed or not; nil if it isn't a file of records.
  func kind(ofFile path: String) -> BinaryKind?

  /// The offset at which the last whole record of a plain file ends; nil if it isn't a file of records.
  func wholeByteCount(ofFile path: String) -> Int?

  /// The header of files of a kind.
  func header(of kind: BinaryKind) -> [UInt8]
}

/// The kind of a file's records; a file of one kind can't be continued with records of another.
public struct BinaryKind: Sendable, Equatable {
  /// The first word of the file.
  public let marker: UInt32
  /// The variant among the kinds with that marker, from 1 on; 0 if it can't be told.
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
