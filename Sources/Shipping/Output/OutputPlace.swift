public import Platform

/// Up to where entries are settled, and where in what the output has made the last of them ends.
public struct SettledPlace: Sendable, Equatable {
  /// All entries in front of this sequence are in front of the place, or were given up; no others are.
  public var sequence: Int
  /// The place.
  public var place: OutputPlace
}

/// A place in what an output has made: everything in front of it is there, and nothing behind it counts.
///
/// A run that goes on at a sequence goes on at the place that belongs to it.
public struct OutputPlace: Sendable, Equatable {
  /// The file, however it is called by now.
  public var file: FileIdentity
  /// The file's number among those of its output, larger than that of any file before it; 0 where there is one
  /// file only.
  public var number: Int64
  /// The length of the file, in bytes on disk; of a compressed one, at the end of a whole member.
  public var byteCount: Int

  /// A place with these numbers.
  public init(file: FileIdentity, number: Int64, byteCount: Int) {
    self.file = file
    self.number = number
    self.byteCount = byteCount
  }
}
