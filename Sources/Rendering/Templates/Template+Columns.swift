import VarnishLog

/// What `formats check` checks besides the examples.
extension Template {
  /// How a client could damage the lines, if the template permits it; nil if it doesn't.
  public var remark: String? {
    let isRaw: Bool
    switch content.escaping {
    case .ncsa: isRaw = false
    case .none: isRaw = true
    default: return nil
    }
    guard let format = try? lineFormat(rules: .natural(for: .v73)),
      isRaw ? format.items.contains(where: \.isChosenByClient) : hasForgeableColumn(format.items)
    else { return nil }
    return isRaw
      ? "a client can forge lines and columns, since 'escape: none' changes nothing"
      : "a client can forge columns, since 'escape: ncsa' keeps them apart in quotation marks only"
        + "; 'escape: columns' does everywhere"
  }

  private func hasForgeableColumn(_ items: [FormatItem]) -> Bool {
    if items.contains(.requestLine) { return true }
    guard let structure = try? TemplateStructure(items, escaping: .columns(.quoted), isNullMissing: false)
    else {
      return false
    }
    return zip(items, structure.placements).contains { item, placement in
      item.isChosenByClient && placement != .text && placement != .number
    }
  }

  /// Examples whose lines don't have as many columns as the header has field names.
  func columnFailures() -> [TemplateCheckFailure] {
    let mark = Array("#Fields:".utf8)
    guard let header = headerLines.first(where: { $0.starts(with: mark) }) else { return [] }
    let names = header.dropFirst(mark.count).split(whereSeparator: { $0 == 0x20 || $0 == 0x09 })
    let separator: UInt8 =
      content.format.contains(0x09) || content.format.contains(Array("\\t".utf8)) ? 0x09 : 0x20
    return content.examples.compactMap { example in
      let lines = example.expected ?? []
      let counts = lines.map { $0.split(separator: separator, omittingEmptySubsequences: false).count }
      guard let count = counts.first(where: { $0 != names.count }) else { return nil }
      return TemplateCheckFailure(
        place: origin.place(of: name), line: example.expectLine,
        title: "\(example.title): \(count) columns, where the header names \(names.count)",
        expected: [header],
        actual: lines)
    }
  }
}

extension FormatItem {
  /// Whether this piece is text that comes from a client.
  fileprivate var isChosenByClient: Bool {
    switch self {
    case .field(let field): !field.isNumber && field != .remoteAddress
    case .requestLine, .user, .requestHeader, .logKey, .record, .query, .protocolVersion: true
    case .literal, .time, .timeNumber, .duration, .responseHeader, .hitMiss, .handling, .side, .vxid, .host,
      .port,
      .clientPort:
      false
    }
  }
}
