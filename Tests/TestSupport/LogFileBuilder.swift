/// Builds a binary log file in memory, as a reader gets it by `-r`.
public struct LogFileBuilder: Sendable {
  /// How records are laid out.
  public let layout: SampleLayout
  /// The tag numbers for the names.
  public let tags: SampleTags
  /// The file's content up to now.
  public private(set) var bytes: [UInt8]

  /// Starts with the file's magic; the tags default to those of the layout's first generation.
  public init(_ layout: SampleLayout = .twoWord, tags: SampleTags? = nil) {
    self.layout = layout
    self.tags = tags ?? (layout == .twoWord ? .v7 : .v8)
    bytes = layout.fileMagic
  }

  /// Starts with `lines` of the form `2 c Begin req 1 rxreq`.
  public init(_ layout: SampleLayout = .twoWord, tags: SampleTags? = nil, lines: String) {
    self.init(layout, tags: tags)
    add(lines: lines)
  }

  /// How long the file is: where the next record begins.
  public var byteCount: Int { bytes.count }

  /// Appends a record.
  public mutating func add(_ record: SampleRecord) {
    bytes += record.words(layout).unpackedBytes
  }

  /// The bytes of a record, as a file has them.
  public static func bytes(of record: SampleRecord, _ layout: SampleLayout) -> [UInt8] {
    record.words(layout).unpackedBytes
  }

  /// Appends a record with text.
  public mutating func add(
    _ vxid: UInt64, _ side: SampleRecord.Side, _ tag: String, _ text: String = ""
  ) {
    add(SampleRecord(vxid, side, tag, text, tags: tags))
  }

  /// Appends a record for each line of the form `2 c Begin req 1 rxreq`.
  public mutating func add(lines: String) {
    for record in SampleRecord.parse(lines, tags: tags) { add(record) }
  }

  /// Appends bytes that need not be a record.
  public mutating func add(raw: some Sequence<UInt8>) {
    bytes += raw
  }

  /// Makes or replaces a file with what was built.
  public func write(to path: String) throws(SupportError) {
    try writeFile(path, bytes)
  }
}
