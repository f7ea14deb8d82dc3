/// Why compressed data can't be decoded any further.
public struct DecompressionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What sort of fault it is.
  public enum Kind: Sendable, Equatable {
    /// The data ends in the middle of a member or frame.
    case cutOff
    /// The checksum shows that the decoded data aren't those that had been compressed.
    case wrongChecksum
    /// The data break the format's rules.
    case invalid
    /// Something else follows a complete member or frame.
    case trailingGarbage
    /// A frame needs more memory than a decoder may have.
    case windowTooLarge
    /// There is no memory for the decoder.
    case outOfMemory
  }

  /// The format the data began in.
  public let format: CompressionFormat
  /// What sort of fault it is.
  public let kind: Kind
  /// Where in the compressed data it was noticed, in bytes.
  public let offset: Int
  /// What the library says about it, if it adds anything.
  public let detail: String?

  /// One line, without the offset.
  public var description: String {
    let text =
      switch kind {
      case .cutOff: "the \(format) data are cut off"
      case .wrongChecksum: "the \(format) data have a wrong checksum"
      case .invalid: "these are no valid \(format) data"
      case .trailingGarbage: "the \(format) data have ended, and something else follows"
      case .windowTooLarge:
        "the \(format) data need a window of more than \(Decompressor.windowByteCountMax >> 20) MiB"
      case .outOfMemory: "no memory to decode \(format) data"
      }
    return detail.map { "\(text) (\($0))" } ?? text
  }
}
