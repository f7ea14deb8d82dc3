/// How outputs share the memory for entries that wait.
extension Configuration {
  /// The least memory that an output gets, in bytes.
  public static let spoolBytesMin = 1 << 20

  /// How many bytes of memory an output's entries may take: what its setting says, or an equal part of what
  /// the outputs with such a setting leave.
  func spoolBytes(of output: OutputConfiguration) -> Int {
    output.spoolBytes
      ?? max(
        Self.spoolBytesMin, (process.spoolBytes - spoolBytesGiven) / outputs.count { $0.spoolBytes == nil })
  }

  /// The sum of the outputs' own memory settings, in bytes.
  public var spoolBytesGiven: Int { outputs.reduce(0) { $0 + ($1.spoolBytes ?? 0) } }

  /// Whether the outputs with a memory setting leave enough for the others.
  ///
  /// Where all of them have one, there is nothing to share, and the process's limit has no effect.
  public var sharesMemoryFairly: Bool {
    let sharers = outputs.count { $0.spoolBytes == nil }
    guard sharers > 0, spoolBytesGiven > 0 else { return true }
    return spoolBytesGiven + sharers * Self.spoolBytesMin <= process.spoolBytes
  }
}
