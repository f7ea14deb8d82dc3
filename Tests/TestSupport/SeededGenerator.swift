import Glibc

/// Random numbers that a seed determines (SplitMix64), for tests that must be repeatable.
///
/// Put the generator into the comment of an expectation, `#expect(a == b, "\(random)")`: a failure
/// then says which `SPILLWAY_SEED` repeats it.
public struct SeededGenerator: RandomNumberGenerator, Sendable, CustomStringConvertible {
  /// The seed of the sequence.
  public let seed: UInt64
  private var state: UInt64

  /// Starts from `seed`, unless the environment variable `SPILLWAY_SEED` names another.
  public init(seed: UInt64) {
    let override = getenv("SPILLWAY_SEED").flatMap { UInt64(String(cString: $0)) }
    self.seed = override ?? seed
    state = self.seed
  }

  /// Starts from the environment variable `SPILLWAY_SEED`, or from a new random seed if that isn't set.
  public init() {
    self.init(seed: UInt64.random(in: .min ... .max))
  }

  /// The instruction to repeat the run, for messages.
  public var description: String { "repeat with SPILLWAY_SEED=\(seed)" }

  /// The next number.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
