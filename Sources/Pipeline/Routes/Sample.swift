/// Which part of all groups is taken.
///
/// Chosen by the number of a group's first transaction, so that several outputs, and other runs over the same
/// log, take the same ones, and a group is taken whole or not at all.
public struct Sample: Sendable, Equatable {
  /// Groups whose scattered number, of 2⁶⁴, is below this are taken; the maximum takes all.
  private let threshold: UInt64

  /// Takes `part` of each `whole` groups, on average.
  ///
  /// - Precondition: `0 < part && part <= whole`.
  public init(_ part: UInt64, of whole: UInt64) {
    precondition(part > 0 && part <= whole, "a part")
    threshold = part == whole ? .max : whole.dividingFullWidth((part, 0)).quotient
  }

  /// Whether a group is taken.
  @inline(__always)
  func includes(_ vxid: UInt64) -> Bool { threshold == .max || Self.scatter(vxid) < threshold }

  /// Spreads numbers that follow each other evenly over the whole range (the finalizer of SplitMix64).
  @inline(__always)
  private static func scatter(_ number: UInt64) -> UInt64 {
    var value = number &+ 0x9E37_79B9_7F4A_7C15
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
