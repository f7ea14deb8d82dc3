/// Where the parts of a checkpoint lie in its file.
///
/// ```
/// 0       the head: what kind of file it is, its key, under which start of the machine it was written
/// 4096    how the log was read
/// 2101248  one part for each output: its name, how far it is, how far it was on disk
/// ```
///
/// Each is a `TwinRecord`, that is two copies. The key of all but the head is in the head.
enum CheckpointLayout {
  /// The words that the head begins with: "spillway", and the number of this layout.
  static let magic: [UInt64] = [0x7961_776c_6c69_7073, 1]
  static let headKey: UInt64 = 0x7061_6567_0001

  static let headCopyBytes = 2048
  static let readingOffset = 4096
  static let readingCopyBytes = 1 << 20
  static let outputsOffset = readingOffset + 2 * readingCopyBytes
  static let outputCopyBytes = 1024
  static let outputBytes = 4 * outputCopyBytes
  /// How many outputs a checkpoint has room for.
  static let outputsMax = 64
  static let byteCount = outputsOffset + outputsMax * outputBytes

  /// How long an output's name may be.
  static let nameBytesMax = 700
}
