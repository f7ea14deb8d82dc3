/// What became of the bytes of a copied ring, or of a file that is searched: each is counted once.
public struct ImageAccount: Sendable, Equatable {
  /// Records that were read, with what frames them.
  public internal(set) var readByteCount = 0
  /// What holds no records: marks, what was never written, and what is too short at the end of a turn.
  public internal(set) var unusedByteCount = 0
  /// What is left of older records between the newest ones and the oldest that are known to be whole.
  ///
  /// The server was about to overwrite it, and has done so to the first of them. Nothing says where the second begins,
  /// so that it is read only where damage is searched, too.
  public private(set) var formerByteCount = 0
  /// Where that begins.
  private var formerStart = 0
  /// What should hold records and holds none that can be believed.
  public internal(set) var givenUp = GivenUp()

  /// Nothing yet.
  public init() {}

  /// All of them.
  public var byteCount: Int { readByteCount + unusedByteCount + formerByteCount + givenUp.byteCount }

  mutating func noteFormer(_ bytes: Range<Int>) {
    guard !bytes.isEmpty else { return }
    if formerByteCount == 0 { formerStart = bytes.lowerBound }
    formerByteCount += bytes.count
  }

  /// What is said at the end of what is no damage; nil if there is nothing.
  ///
  /// - Parameter salvages: whether damage was searched, so that all is to be accounted for.
  public func summary(of path: String, salvages: Bool) -> String? {
    if salvages {
      return
        "\(path): of \(byteCount) bytes, \(readByteCount) hold records that were read, \(unusedByteCount) hold none, "
        + "and \(givenUp.byteCount) were given up"
    }
    guard formerByteCount > 0 else { return nil }
    return
      "\(path): \(formerByteCount) of \(byteCount) bytes, from offset \(formerStart) on, hold older records that were "
      + "about to be overwritten, and are left out; --salvage reads them"
  }
}
