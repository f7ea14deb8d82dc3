import Glibc

/// Writes records with two header words, and NUL-terminated payloads of at most 255 bytes, to a
/// file.
struct CaptureWriter: ~Copyable {
  /// The side whose work a record belongs to, as the bits that mark it.
  enum Side: UInt32 {
    case client = 0x4000_0000
    case backend = 0x8000_0000
  }

  /// The largest payload that a server writes with the default configuration, including the NUL.
  private static let payloadMax = 255

  /// How many records have been written.
  private(set) var recordCount = 0
  /// How many bytes have been written.
  private(set) var byteCount = 0
  private let file: UnsafeMutablePointer<FILE>
  private var buffer: [UInt8] = []

  init?(path: String) {
    guard let file = fopen(path, "w") else { return nil }
    self.file = file
    buffer.reserveCapacity(1 << 21)
    buffer += "VSL\0".utf8
  }

  deinit { fclose(file) }

  /// Writes a record.
  mutating func add(_ vxid: UInt32, _ side: Side, _ tag: Tag, _ payload: String = "") {
    let text = payload.utf8.prefix(Self.payloadMax - 1)
    let length = UInt32(text.count + 1)
    append(UInt32(tag.rawValue) << 24 | length)
    append(vxid | side.rawValue)
    buffer += text
    buffer.append(0)
    while buffer.count % 4 != 0 { buffer.append(0) }
    recordCount += 1
    if buffer.count > 1 << 20 { flush() }
  }

  /// Writes out everything.
  ///
  /// - Returns: Whether everything could be written up to now.
  @discardableResult
  mutating func flush() -> Bool {
    byteCount += buffer.count
    fwrite(buffer, 1, buffer.count, file)
    buffer.removeAll(keepingCapacity: true)
    return fflush(file) == 0 && ferror(file) == 0
  }

  private mutating func append(_ word: UInt32) {
    withUnsafeBytes(of: word) { buffer.append(contentsOf: $0) }
  }
}
