import Platform
import SharedMemory

/// Reads files of queries: one query to a line, with comments and continued lines as in the language.
public enum QueryFile {
  /// The largest size of a file, in bytes; a longer one is taken for a mistake.
  public static let byteCountMax = 1 << 20

  /// The text of a file, to be handed to `Query` among the other expressions.
  ///
  /// - Throws: `QueryFileError` if it can't be read or is too long.
  public static func read(_ path: String) throws(QueryFileError) -> [UInt8] {
    var bytes: [UInt8] = []
    do throws(SystemError) {
      let file = try ReadOnlyFile(path: path)
      // Pipes can be read, too.
      while bytes.count <= byteCountMax {
        let chunk = unsafe try [UInt8](unsafeUninitializedCapacity: 16 << 10) {
          (buffer, count) throws(SystemError) in
          count = unsafe try file.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        if chunk.isEmpty { return bytes }
        bytes += chunk
      }
    } catch {
      throw QueryFileError(path: path, reason: error.reason + error.explanation)
    }
    throw QueryFileError(path: path, reason: "longer than \(byteCountMax) bytes")
  }
}

/// Why a file of queries can't be read.
public struct QueryFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file's name as it was given.
  public let path: String
  /// The system's reason, or this program's.
  public let reason: String

  /// Says why a file can't be read.
  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  /// One line, as the reference tools print it.
  public var description: String { "-Q \(path): \(reason)" }
}
