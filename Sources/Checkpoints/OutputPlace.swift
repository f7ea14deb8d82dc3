public import Platform

/// A place in what an output has made: everything in front of it is there, and nothing behind it counts.
///
/// A run that goes on at a sequence goes on at the place that belongs to it.
public struct OutputPlace: Sendable, Hashable {
  /// The file, however it is called by now.
  public var file: FileIdentity
  /// The file's number among those of its output, larger than that of any file before it; 0 where there is one
  /// file only.
  public var number: Int64
  /// The length of the file, in bytes on disk; of a compressed one, at the end of a whole member.
  public var byteCount: Int

  /// A place with these numbers.
  public init(file: FileIdentity, number: Int64, byteCount: Int) {
    self.file = file
    self.number = number
    self.byteCount = byteCount
  }
}

// MARK: - As it is stored

extension OutputPlace {
  func encode(to words: inout WordWriter) {
    words.put(file.device)
    words.put(file.inode)
    words.put(number)
    words.put(UInt64(byteCount))
  }

  /// Reads a place; nil if it can't be one: neither a number nor a length is ever negative.
  init?(from words: inout WordReader) {
    guard let device = words.number(), let inode = words.number(), let number = words.signedNumber(),
      number >= 0,
      let byteCount = words.number(), let byteCount = Int(exactly: byteCount)
    else { return nil }
    self.init(file: FileIdentity(device: device, inode: inode), number: number, byteCount: byteCount)
  }
}
