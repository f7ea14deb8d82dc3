/// How far a run had got with a log when it ended or was killed: what another run needs to go on as if
/// nothing had happened.
public struct Checkpoint: Equatable, Sendable {
  /// The boot ID of the machine under which it was written; nil if unknown.
  public var boot: String?
  /// How the log was read.
  public var reading: ReadingStanding
  /// How the outputs stood, by their names, in the order in which they were begun.
  public var outputs: [Output]

  /// How one output stood.
  public struct Output: Equatable, Sendable {
    /// The output's name, which finds it again.
    public var name: String
    /// How far it had come.
    public var standing: OutputStanding
    /// How far it had come when its file was last known to be on the disk; nil if that was never so.
    public var synced: OutputStanding?
    /// Whether the newest copy of it is damaged, so that this is the one before.
    public var isFormer: Bool

    /// An output by its name.
    public init(name: String, standing: OutputStanding, synced: OutputStanding? = nil, isFormer: Bool = false)
    {
      self.name = name
      self.standing = standing
      self.synced = synced
      self.isFormer = isFormer
    }
  }

  /// Nothing done, unless other values are given.
  public init(boot: String? = nil, reading: ReadingStanding = ReadingStanding(), outputs: [Output] = []) {
    self.boot = boot
    self.reading = reading
    self.outputs = outputs
  }

  /// How an output stood; nil if it wasn't there.
  ///
  /// After a power cut, only what was on the disk by then counts. Where the system doesn't tell whether the machine was
  /// started since, it is taken as not: the log is in its memory, and will show.
  public func standing(of name: String, sinceBoot boot: String?) -> OutputStanding? {
    guard let output = outputs.first(where: { $0.name == name }) else { return nil }
    return wasStarted(sinceBoot: boot) ? output.synced : output.standing
  }

  /// Whether an output may have come further than its standing says.
  public func mayHaveGoneOn(_ name: String, sinceBoot boot: String?) -> Bool {
    wasStarted(sinceBoot: boot) || outputs.first { $0.name == name }?.isFormer == true
  }

  private func wasStarted(sinceBoot boot: String?) -> Bool {
    guard let boot, let former = self.boot else { return false }
    return boot != former
  }
}

/// What is wrong with a checkpoint, in part or as a whole.
public enum CheckpointDamage: Equatable, Sendable {
  /// The newest copy of a part is damaged, and the one before it was taken.
  case older(String)
  /// Neither copy of a part is whole, and what it told is lost.
  case lost(String)
  /// The file is no checkpoint, or nothing of it can be read.
  case unreadable
}

extension CheckpointDamage: CustomStringConvertible {
  /// The name, in messages, of the part for how the log was read.
  public static let readingPart = "how the log was read"

  /// What is wrong, in words to follow the file's name.
  public var description: String {
    switch self {
    case .older(let part): "\(part) is damaged, and the copy before it is taken"
    case .lost(let part): "\(part) is damaged, both copies"
    case .unreadable: "is no checkpoint, or is damaged"
    }
  }
}
