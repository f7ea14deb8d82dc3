public import VarnishLog

/// Finds out from records which of two tag numberings with the same marker a log uses.
///
/// `VSL` files may be of 4.0 or of 4.1 to 7.2, `VSL2` files and `VSLHEAD2` segments of 7.3 to 8.0 or of 9.0.
/// `Begin` and `Link` have payloads that nothing else has, and different numbers (`vsl-tags.md` 1.1).
public struct NumberingProbe: Sendable {
  private let low: TagNumbering, high: TagNumbering
  /// The numbering the records have shown so far; nil as long as none of them told.
  public private(set) var result: TagNumbering?

  /// Starts a probe of a log of the given layout.
  public init<Layout: RecordLayout>(_: Layout.Type) {
    let isNarrow = Layout.headerByteCount == NarrowRecords.headerByteCount
    (low, high) = isNarrow ? (.v40, .v41) : (.v73, .v90)
  }

  /// The numbering to assume for a log that never told: the commoner one.
  public var fallback: TagNumbering { low == .v40 ? .v41 : .v73 }

  /// Looks at one record.
  public mutating func examine(tag: UInt8, payload: LogBytes) {
    guard result == nil, tag == 74 || tag == 75 || tag == 76 else { return }
    guard Self.isBracket(payload.droppingFinalNULs) else { return }
    result = tag == 74 ? low : high
  }

  /// Whether a payload is `sess|req|bereq NUMBER WORD`, as `Begin` and `Link` have it.
  private static func isBracket(_ payload: LogBytes) -> Bool {
    guard let type = payload.field(1), let number = payload.field(2), payload.field(3) != nil else {
      return false
    }
    guard type.equals("sess") || type.equals("req") || type.equals("bereq") else { return false }
    return unsafe number.buffer.allSatisfy(ASCII.isDigit)
  }
}
