/// What became of the bytes of a copied ring, or of a file that is searched: each is counted once.
public struct ImageAccount: Sendable, Equatable {
  /// Records that were read, with what frames them.
  public internal(set) var readByteCount = 0
  /// What holds no records: marks, what was never written, and what is too short at the end of a turn.
  public internal(set) var unusedByteCount = 0
  /// What is left of older records between the newest ones and the oldest that are known to be whole.
  ///
  /// The server was about to overwrite these records, and has overwritten the first one. Nothing says where
  /// the second one begins, so they are read only if damaged parts are searched, too.
  public private(set) var formerByteCount = 0
  /// Where these older records begin.
  private var formerStart = 0
  /// What should hold records, but holds no believable ones.
  public internal(set) var givenUp = GivenUp()

  /// Begins with nothing counted.
  public init() {}

  /// How many bytes were counted in all.
  public var byteCount: Int { readByteCount + unusedByteCount + formerByteCount + givenUp.byteCount }

  mutating func noteFormer(_ bytes: Range<Int>) {
    guard !bytes.isEmpty else { return }
    if formerByteCount == 0 { formerStart = bytes.lowerBound }
    formerByteCount += bytes.count
  }

  /// The message at the end: about all bytes if damaged parts were searched, else about older records that
  /// were left out.
  ///
  /// - Parameter salvages: whether damaged parts were searched, so that all bytes are to be accounted for.
  /// - Returns: nil if there is nothing to say.
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
