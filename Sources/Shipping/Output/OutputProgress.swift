import Spool

/// How far an output has come with the entries of its spool.
public struct OutputProgress: Sendable, Equatable {
  /// The sink has taken all entries in front of this sequence.
  public var acceptedThrough: Int
  /// All entries in front of this sequence are where they have to be and stay there after a crash, or were given up.
  public var settledThrough: Int
}

/// What has become of the entries taken from a spool; a sink's reports are taken over here and nowhere else.
struct OutputAccount {
  /// The place up to which entries were taken whole.
  private(set) var accepted: SpoolPlace
  /// The place up to which entries are settled or given up.
  private(set) var settled: SpoolPlace
  /// Whether all further entries are given up.
  private(set) var isClosed = false
  /// Tallies of the entries given up, by cause.
  private(set) var givenUp = GivenUpTallies()
  /// Entries given up behind `settled`, such as a message that was too large while those before it are on
  /// their way.
  private var ahead: [EntryStretch] = []
  /// The tally of entries given up in front of `settled`.
  private var behind = Tally.zero

  init(from start: SpoolPlace) {
    accepted = start
    settled = start
  }

  /// The tally of entries that have arrived.
  var written: Tally { settled.read - behind }

  /// Notes how far a sink has come.
  mutating func advance(accepted: SpoolPlace, settled: SpoolPlace) {
    self.accepted = accepted
    self.settled = settled
    guard !ahead.isEmpty else { return }
    ahead.removeAll { stretch in
      guard stretch.sequences.upperBound <= settled.sequence else { return false }
      behind += stretch.tally
      return true
    }
  }

  /// Notes that entries were given up.
  mutating func giveUp(_ loss: GivenUp) {
    givenUp[loss.cause] += loss.entries.tally
    if loss.entries.sequences.upperBound <= settled.sequence {
      behind += loss.entries.tally
    } else {
      ahead.append(loss.entries)
    }
  }

  /// Gives up all entries that were taken and are neither settled nor given up; from then on, what the sink
  /// does to them doesn't count.
  mutating func close(with cause: GivenUp.Cause, at accepted: SpoolPlace) {
    var rest = EntryStretch(from: settled, to: accepted)
    rest.tally = ahead.reduce(rest.tally) { $0 - $1.tally }
    if rest.tally.entries > 0 { giveUp(GivenUp(rest, cause)) }
    advance(accepted: accepted, settled: accepted)
    isClosed = true
  }
}

/// Tallies of what was given up, one for each cause.
struct GivenUpTallies: Equatable {
  private var outputFailed = Tally.zero, consumerGone = Tally.zero
  private var tooLarge = Tally.zero, unconfirmed = Tally.zero

  subscript(cause: GivenUp.Cause) -> Tally {
    get {
      switch cause {
      case .outputFailed: outputFailed
      case .consumerGone: consumerGone
      case .tooLarge: tooLarge
      case .unconfirmed: unconfirmed
      }
    }
    set {
      switch cause {
      case .outputFailed: outputFailed = newValue
      case .consumerGone: consumerGone = newValue
      case .tooLarge: tooLarge = newValue
      case .unconfirmed: unconfirmed = newValue
      }
    }
  }
}
