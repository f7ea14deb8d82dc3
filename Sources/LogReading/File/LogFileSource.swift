public import VarnishLog

/// A source that reads a binary log file.
public protocol LogFileSource<Layout>: LogSource, ~Copyable {
  /// The tag numbering of the records that belong to transactions.
  var numbering: TagNumbering { get }
  /// Whether the file is compressed, so that offsets count decoded bytes.
  var isDecoded: Bool { get }
  /// The records of tags that the numbering gives no meaning; nil if there were none.
  var unknownTags: UnknownTags? { get }

  /// Reads as much as it takes to know how the rest is to be read; comes before everything else.
  ///
  /// - Throws: `LogError.readFailed` if the file can't be read.
  mutating func begin() throws(LogError)

  /// Moves forward to a position at which reading had stopped.
  ///
  /// - Throws: `LogError.readFailed` or `.undecodable` if the file can't be read that far.
  mutating func resume(at target: LogPosition) throws(LogError) -> LogResumption
}
