public import Checkpoints

/// What an earlier run has noted of a file that an output goes on with.
public struct FileResumption: Sendable, Equatable {
  /// How far that run had come.
  public var standing: OutputStanding
  /// Whether what came behind it can be made again: the log still has it.
  ///
  /// If not, nothing is cut off but what a kill has torn.
  public var canRepeat: Bool
  /// Whether the output may have gone on behind the standing without another one being known: this one is what was on
  /// the disk at a power cut, or a copy of a checkpoint whose newer one is damaged.
  public var mayHaveGoneOn: Bool

  /// What was noted, and what can be done about it.
  public init(_ standing: OutputStanding, canRepeat: Bool, mayHaveGoneOn: Bool = false) {
    self.standing = standing
    self.canRepeat = canRepeat
    self.mayHaveGoneOn = mayHaveGoneOn
  }
}
