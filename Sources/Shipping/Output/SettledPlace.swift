public import Checkpoints

/// Up to where entries are settled, and where in what the output has made the last of them ends.
public struct SettledPlace: Sendable, Equatable {
  /// All entries in front of this sequence are in front of the place, or were given up; no others are.
  public var sequence: Int
  /// The place.
  public var place: OutputPlace
}
