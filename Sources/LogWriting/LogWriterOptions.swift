public import VarnishLog

/// What kind of log a writer makes, and how large.
public struct LogWriterOptions: Sendable {
  /// What the files and the records look like.
  public enum Format: Sendable, Equatable {
    /// Two directories of segments with an index each, as since 6.0.5 and 6.3, with tags numbered as given.
    ///
    /// `.v41` means 32-bit records, which the tools up to 7.2 read; `.v73` and `.v90` 64-bit ones, for those
    /// since 7.3. No such log has the tags of 4.0.
    case indexed(TagNumbering)
    /// One file with a list of sections, as in 3.0.
    ///
    /// There are no transactions in it: a record bears the number of a connection in place of a
    /// transaction's, and readers make transactions of what was logged of requests.
    case singleFile
  }

  /// What the files and the records look like.
  public var format: Format
  /// The size of the log in bytes, from 64 KiB to 4 GiB.
  public var logByteCount = 16 << 20
  /// In a single file: the bytes for all sections but the log.
  public var sectionByteCount = 1 << 20
  /// The longest text of a record in bytes, at most 65534; what is longer is cut and counted.
  public var textByteCountMax = 4095
  /// How many bytes of records a transaction collects before they are written.
  ///
  /// A transaction that is longer is written in pieces, which readers put together. A piece is never
  /// larger than an eighth of the log.
  public var batchByteCount = 16 << 10
  /// The identity that the log gives for its server.
  public var identity = "spillway"
  /// The permissions of the log's files, which decide which users may read it.
  public var permissions: UInt32 = 0o640
  /// How long a freed section of a single file is left as it was.
  package var cooldownSeconds: Int64 = 10

  /// Chooses a format; all other options have their usual values.
  public init(_ format: Format = .indexed(.v73)) { self.format = format }

  var encoding: RecordEncoding {
    switch format {
    case .indexed(.v41), .indexed(.v40): .narrow
    case .indexed: .wide
    case .singleFile: .old
    }
  }

  var numbering: TagNumbering {
    if case .indexed(let numbering) = format { numbering } else { .v41 }
  }

  /// Finds values that no log can have.
  func validate() throws(LogWriterError) {
    if format == .indexed(.v40) {
      throw .invalid(option: "format", problem: "a log with an index has no tags of 4.0")
    }
    guard (64 << 10...4 << 30).contains(logByteCount), logByteCount % 8 == 0 else {
      throw .invalid(
        option: "logByteCount", problem: "\(logByteCount) is no multiple of 8 from 65536 to 4294967296")
    }
    guard (0...1 << 30).contains(sectionByteCount) else {
      throw .invalid(option: "sectionByteCount", problem: "\(sectionByteCount) is not from 0 to 1073741824")
    }
    if format == .singleFile, logByteCount + sectionByteCount > 4 << 30 - 1 << 20 {
      throw .invalid(option: "logByteCount", problem: "a single file can't have more than 4 GiB")
    }
    guard (1..<RecordHeader.payloadByteCountMax).contains(textByteCountMax) else {
      throw .invalid(option: "textByteCountMax", problem: "\(textByteCountMax) is not from 1 to 65534")
    }
    guard textByteCountMax + 32 <= batchByteCount, batchByteCount <= 16 << 20 else {
      throw .invalid(
        option: "batchByteCount",
        problem: "\(batchByteCount) doesn't hold a record of \(textByteCountMax) bytes, or is above 16 MiB")
    }
    guard textByteCountMax + 64 <= logByteCount / 8 - 256 else {
      throw .invalid(
        option: "textByteCountMax",
        problem: "\(textByteCountMax) bytes don't fit into an eighth of a log of \(logByteCount)")
    }
    guard permissions & ~0o777 == 0 else {
      throw .invalid(option: "permissions", problem: "only read, write and execute can be chosen")
    }
    if let problem = SectionName.problem(with: identity, byteCountMax: 127) {
      throw .invalid(option: "identity", problem: problem)
    }
  }
}

/// The rules for the names of sections.
enum SectionName {
  /// Why a name can't stand in an index or a section's header; nil if it can.
  static func problem(with name: String, byteCountMax: Int) -> String? {
    if name.isEmpty { return "it is empty" }
    if name.utf8.count > byteCountMax { return "it has more than \(byteCountMax) bytes" }
    // An index separates fields by blanks, lines by newlines, and knows quotes.
    let forbidden = name.utf8.contains { $0 <= 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "\"") || $0 == 0x5C }
    return forbidden ? "it has a blank, a control character, a quotation mark or a backslash" : nil
  }
}
