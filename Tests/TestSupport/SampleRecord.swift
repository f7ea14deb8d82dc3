/// How records are laid out, in files and in shared memory.
public enum SampleLayout: Sendable, CaseIterable {
  /// Two header words, as up to 7.2: `VSL` + NUL, `VSLHEAD1`.
  case twoWord
  /// Three header words, as from 7.3 on: `VSL2`, `VSLHEAD2`.
  case threeWord

  /// The bytes with which a file begins.
  public var fileMagic: [UInt8] {
    switch self {
    case .twoWord: Array("VSL\0".utf8)
    case .threeWord: Array("VSL2".utf8)
    }
  }

  /// The marker with which a log in shared memory begins.
  public var segmentMarker: String {
    switch self {
    case .twoWord: "VSLHEAD1"
    case .threeWord: "VSLHEAD2"
    }
  }

  /// How many words stand before a payload.
  public var headerWords: Int {
    switch self {
    case .twoWord: 2
    case .threeWord: 3
    }
  }
}

/// A record of a sample log.
public struct SampleRecord: Sendable {
  /// The side whose work a record belongs to.
  public enum Side: String, Sendable {
    /// A client's: requests and sessions.
    case client = "c"
    /// A backend's.
    case backend = "b"
    /// Neither's, as with the identifier 0.
    case none = "-"
  }

  /// The transaction's identifier.
  public var vxid: UInt64
  /// Whose work it belongs to.
  public var side: Side
  /// The tag's number.
  public var tag: UInt8
  /// The payload with the NUL at its end, if it has one.
  public var payload: [UInt8]

  /// Creates a record from the payload's bytes; `terminated` adds the NUL.
  public init(
    _ vxid: UInt64, _ side: Side, tag: UInt8, bytes: [UInt8], terminated: Bool = true
  ) {
    self.vxid = vxid
    self.side = side
    self.tag = tag
    payload = terminated ? bytes + [0] : bytes
  }

  /// Creates a record with text, for instance `SampleRecord(2, .client, "Begin", "req 1 rxreq")`.
  public init(
    _ vxid: UInt64, _ side: Side, _ tag: String, _ text: String = "", tags: SampleTags = .v7
  ) {
    self.init(vxid, side, tag: tags[tag], bytes: Array(text.utf8))
  }

  /// Reads lines of the form `2 c Begin req 1 rxreq`.
  ///
  /// The fields are the identifier, the side (`c`, `b`, `-`), the tag and, after one blank, the
  /// text. Empty lines are skipped; anything else traps, being the test's own mistake.
  public static func parse(_ lines: String, tags: SampleTags = .v7) -> [SampleRecord] {
    lines.split(separator: "\n").compactMap { line in
      let line = line.drop { $0 == " " }
      if line.isEmpty { return nil }
      let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
      guard fields.count >= 3, let vxid = UInt64(fields[0]),
        let side = Side(rawValue: "\(fields[1])")
      else { preconditionFailure("not a record: \(line)") }
      let text = fields.count > 3 ? String(fields[3]) : ""
      return SampleRecord(vxid, side, String(fields[2]), text, tags: tags)
    }
  }

  /// The records of a request for a path.
  public static func request(_ path: String, number: Int, tags: SampleTags) -> [SampleRecord] {
    let texts = [
      ("Begin", "req 0 rxreq"), ("ReqMethod", "GET"), ("ReqURL", path), ("RespStatus", "200"), ("End", ""),
    ]
    return texts.map { SampleRecord(UInt64(number), .client, $0, $1, tags: tags) }
  }

  /// The record as words in memory order.
  public func words(_ layout: SampleLayout) -> [UInt32] {
    var words: [UInt32] = []
    let head = UInt32(tag) << 24 | UInt32(UInt16(truncatingIfNeeded: payload.count))
    let sideBits: UInt32 =
      switch side {
      case .client: 1 << 30
      case .backend: 1 << 31
      case .none: 0
      }
    switch layout {
    case .twoWord:
      words = [head, UInt32(vxid & 0x3FFF_FFFF) | sideBits]
    case .threeWord:
      let low = UInt32(truncatingIfNeeded: vxid)
      words = [head | 1 << 16, low, UInt32(vxid >> 32 & 0x7_FFFF) | sideBits]
    }
    return words + payload.packedIntoWords
  }
}

extension [UInt8] {
  /// The bytes in memory order, filled up with zeros to whole words.
  var packedIntoWords: [UInt32] {
    stride(from: 0, to: count, by: 4).map { start in
      var word: UInt32 = 0
      let bytes = self[start..<Swift.min(start + 4, count)]
      Swift.withUnsafeMutableBytes(of: &word) { $0.copyBytes(from: bytes) }
      return word
    }
  }
}

extension [UInt32] {
  /// The bytes of the words, in memory order.
  var unpackedBytes: [UInt8] { withUnsafeBytes { Array<UInt8>($0) } }
}
