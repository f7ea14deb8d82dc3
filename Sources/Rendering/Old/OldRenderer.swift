public import VarnishLog

/// Shows a log of 2.0 to 3.0 as its own tools did, record by record, as these logs have no transactions.
///
/// Each record is taken once; the resulting entry stays in `entry` until the next record.
public struct OldRenderer: ~Copyable {
  private var lines: OldLines?
  private var log: OldLogText?

  /// Makes lines, as varnishncsa does.
  ///
  /// - Parameters:
  ///   - format: the format, if the release has formats at all.
  ///   - prefersForwarded: `-f`: the first field is the value of `X-Forwarded-For`.
  ///   - tags: the log's tag numbering.
  /// - Throws: `OldSelectionError` if the selection can't be used.
  public init(
    linesOf selection: OldSelection, _ format: borrowing LineFormat, prefersForwarded: Bool, tags: TagTable
  ) throws(OldSelectionError) {
    lines = try OldLines(
      selection, format.items, rules: format.rules, prefersForwarded: prefersForwarded, tags: tags)
    log = nil
  }

  /// How records are arranged as text.
  public enum Arrangement: Sendable {
    /// One by one.
    case single
    /// The records of a request, a fetch or a connection's end together.
    case grouped
  }

  /// Makes text, as varnishlog does.
  ///
  /// - Parameter isForTerminal: whether a terminal would obey control characters, so that none is printed.
  /// - Throws: `OldSelectionError` if the selection can't be used.
  public init(
    textOf selection: OldSelection, _ arrangement: Arrangement, tags: TagTable, isForTerminal: Bool
  ) throws(OldSelectionError) {
    lines = nil
    log = try OldLogText(
      selection, arrangement == .single ? .single : .grouped, tags: tags, isForTerminal: isForTerminal)
  }

  /// Copies records unchanged.
  ///
  /// - Throws: `OldSelectionError` if the selection can't be used.
  public init(recordsOf selection: OldSelection, tags: TagTable) throws(OldSelectionError) {
    lines = nil
    log = try OldLogText(selection, .binary(tags.numbering), tags: tags, isForTerminal: false)
  }

  /// Takes a record in.
  public mutating func take<Layout: RecordLayout>(_ record: Record<Layout>) -> OldOutcome {
    // Single records come in this layout only.
    guard let record = record as? Record<WideRecords> else { return .absorbed }
    if let outcome = lines?.take(record) { return outcome }
    return log?.take(record) ?? .absorbed
  }

  /// Finishes all that is open, as at the end of a file.
  ///
  /// - Returns: whether there is an entry.
  public mutating func flush() -> Bool {
    // Lines are made only of requests that have ended.
    guard lines == nil else { return false }
    log?.flush()
    return entryByteCount > 0
  }

  /// Forgets records kept for later.
  public mutating func forget() {
    lines?.forget()
    log?.forget()
  }

  /// How many bytes the entry has.
  public var entryByteCount: Int {
    switch lines {
    case .some(let lines): return lines.entry.count
    case nil: break
    }
    switch log {
    case .some(let log): return log.entry.count
    case nil: return 0
    }
  }

  /// Writes the entry.
  public func put(to line: inout LineWriter) {
    switch lines {
    case .some(let lines): return lines.put(to: &line)
    case nil: break
    }
    switch log {
    case .some(let log): log.put(to: &line)
    case nil: break
    }
  }
}

extension OldLines {
  mutating func forget() { states = [:] }

  func put(to line: inout LineWriter) { unsafe entry.withUnsafeBytes { unsafe line.put($0) } }
}

extension OldLogText {
  mutating func forget() { groups = [:] }

  func put(to line: inout LineWriter) { unsafe entry.withUnsafeBytes { unsafe line.put($0) } }
}

extension LineFormat {
  /// The only format of 2.0 and 2.1.
  public static func fixed(rules: NCSARules) -> LineFormat {
    func text(_ text: String) -> FormatItem { .literal(Array(text.utf8)) }
    return LineFormat(
      items: [
        .field(.remoteAddress), text(" - "), .user, text(" "),
        .time(format: Array("[%d/%b/%Y:%T %z]".utf8), isUTC: false), text(" \""), .requestLine, text("\" "),
        .field(.status), text(" "), .field(.bodyBytesSent), text(" \""),
        .requestHeader(name: Array("Referer".utf8), rule: nil), text("\" \""),
        .requestHeader(name: Array("User-agent".utf8), rule: nil), text("\""),
      ], rules: rules)
  }

  private init(items: [FormatItem], rules: NCSARules) {
    self.items = items
    placements = Array(repeating: .text, count: items.count)
    self.rules = rules
    style = LineStyle(rules, isJSON: false)
    takesAllTags = false
  }
}
