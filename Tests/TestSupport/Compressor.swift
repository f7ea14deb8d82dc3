/// A compression program, and the way in which it is called.
public enum Compressor: String, Sendable, CaseIterable {
  /// One member.
  case gzip
  /// Members of `partByteCount` bytes of text each, as appending to a file makes them.
  case gzipMembers
  /// One frame with a checksum.
  case zstd
  /// Frames of `partByteCount` bytes of text each, every one followed by a skippable frame.
  case zstdFrames

  /// The bytes with which the compressed data begin.
  public var magic: [UInt8] { isGzip ? [0x1f, 0x8b] : [0x28, 0xb5, 0x2f, 0xfd] }

  /// Whether the format is gzip rather than zstd.
  public var isGzip: Bool { self == .gzip || self == .gzipMembers }

  /// The name of the format in messages.
  public var formatName: String { isGzip ? "gzip" : "zstd" }

  /// A skippable frame of five bytes.
  public static let skippable: [UInt8] = [0x53, 0x2A, 0x4D, 0x18, 5, 0, 0, 0] + Array("about".utf8)

  /// Compresses bytes.
  public func compress(_ bytes: [UInt8], partByteCount: Int = 60_000) throws(SupportError) -> [UInt8] {
    switch self {
    case .gzip: return try Self.run("gzip", ["-cn"], bytes)
    case .zstd: return try Self.run("zstd", ["-qc"], bytes)
    case .gzipMembers, .zstdFrames:
      var result: [UInt8] = []
      for start in stride(from: 0, to: bytes.count, by: partByteCount) {
        let part = Array(bytes[start..<min(start + partByteCount, bytes.count)])
        if isGzip {
          result += try Compressor.gzip.compress(part)
        } else {
          result += try Compressor.zstd.compress(part) + Self.skippable
        }
      }
      return result
    }
  }

  private static func run(
    _ program: String, _ arguments: [String], _ bytes: [UInt8]
  ) throws(SupportError) -> [UInt8] {
    var command = Command(program, arguments)
    command.input = .bytes(bytes)
    let result = try ProcessRunner.run(command)
    guard result.status == 0 else { throw SupportError("\(program): \(result.errorText)") }
    return result.output
  }
}
