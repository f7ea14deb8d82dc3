public import Checkpoints

/// An earlier run's notes on a file that the output continues.
public struct FileResumption: Sendable, Equatable {
  /// How far that run had come.
  public var standing: OutputStanding
  /// Whether the entries behind the standing can be rendered again, as the log still has them.
  ///
  /// If not, nothing is cut off but what a kill has torn.
  public var canRepeat: Bool
  /// Whether the output may have got further than the standing, without a note of that: the standing is one
  /// that was on the disk at a power cut, or from a copy of a checkpoint whose newer copy is damaged.
  public var mayHaveGoneOn: Bool

  /// A standing, and what can be done about the entries behind it.
  public init(_ standing: OutputStanding, canRepeat: Bool, mayHaveGoneOn: Bool = false) {
    self.standing = standing
    self.canRepeat = canRepeat
    self.mayHaveGoneOn = mayHaveGoneOn
  }
}
