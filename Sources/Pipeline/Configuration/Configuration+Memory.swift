/// How outputs share the memory for what waits.
extension Configuration {
  /// The least that an output gets, in bytes.
  public static let spoolBytesMin = 1 << 20

  /// What an output may take in memory: what it says, or an equal part of what those that say so leave.
  func spoolBytes(of output: OutputConfiguration) -> Int {
    output.spoolBytes
      ?? max(
        Self.spoolBytesMin, (process.spoolBytes - spoolBytesGiven) / outputs.count { $0.spoolBytes == nil })
  }

  /// What the outputs take that say how much.
  public var spoolBytesGiven: Int { outputs.reduce(0) { $0 + ($1.spoolBytes ?? 0) } }

  /// Whether the outputs that say how much memory they take leave enough of it for the others.
  ///
  /// Where all of them say it, there is nothing to share, and what the process may take says nothing.
  public var sharesMemoryFairly: Bool {
    let sharers = outputs.count { $0.spoolBytes == nil }
    guard sharers > 0, spoolBytesGiven > 0 else { return true }
    return spoolBytesGiven + sharers * Self.spoolBytesMin <= process.spoolBytes
  }
}
