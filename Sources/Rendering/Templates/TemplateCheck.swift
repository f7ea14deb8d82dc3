import Transactions
import VarnishLog

/// An example that came out otherwise than its template says.
public struct TemplateCheckFailure: Sendable, CustomStringConvertible {
  /// The file's path, or how else the template is known.
  public let place: String
  /// The line of the example's `expect:`; of its `example:`, if it couldn't be run.
  public let line: Int
  /// What the example shows.
  public let title: String
  /// The lines that should have come out.
  public let expected: [[UInt8]]
  /// The lines that did.
  public let actual: [[UInt8]]

  /// Several lines: where it is, what came out, what should have.
  public var description: String {
    let name = title.isEmpty ? "" : " '\(title)'"
    return
      (["\(place):\(line): example\(name)", "  gives"] + Self.shown(actual) + ["  instead of"]
      + Self.shown(expected)).joined(separator: "\n")
  }

  /// Lines as a terminal may show them.
  private static func shown(_ lines: [[UInt8]]) -> [String] {
    guard !lines.isEmpty else { return ["    (no line)"] }
    return lines.map { line in
      let text = String(decoding: line, as: UTF8.self).unicodeScalars.map { scalar in
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: scalar.escaped(asASCII: true)
        default: String(scalar)
        }
      }
      return "    " + text.joined()
    }
  }
}

extension Template {
  /// Renders the examples, with times in UTC, and compares; a header's fields are counted, too.
  ///
  /// - Returns: the examples that came out differently, or don't fit the header; none if all is well.
  public func check() -> [TemplateCheckFailure] {
    columnFailures()
      + content.examples.compactMap { example in
        let expected = example.expected ?? []
        let output: [UInt8]
        do {
          output = try TemplateCheck.output(of: self, for: example)
        } catch {
          output = Array("(\(error))\n".utf8)
        }
        guard output != expected.flatMap({ $0 + [0x0A] }) else { return nil }
        return TemplateCheckFailure(
          place: origin.place(of: name), line: example.expectLine, title: example.title,
          expected: expected,
          actual: output.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
            .map(Array.init))
      }
  }
}

/// Runs examples: encodes them as a log would have them, and takes them all the way to a line.
enum TemplateCheck {
  /// The log that examples are written as.
  static let tags = TagTable(.v73)
  /// The rules that go with it.
  static let rules = NCSARules.natural(for: .v73)

  /// What a template makes of an example.
  static func output(
    of template: Template, for example: TemplateExample
  ) throws(FormatError) -> [UInt8] {
    let format = try template.lineFormat(rules: rules, isUTC: true)
    var renderer = LineRenderer(format, tags: tags)
    let options = GroupingOptions(
      grouping: .vxid, candidateRule: rules.candidateRule,
      wantsClient: template.side.includesClient, wantsBackend: template.side.includesBackend,
      wantsESI: false)
    var grouper = Grouper<WideRecords>(options: options, tags: tags)
    var output: [UInt8] = []
    for transaction in encode(example) {
      // Words, so that headers lie at word boundaries.
      unsafe transaction.withUnsafeBytes { memory in
        guard let start = memory.baseAddress else { return }
        unsafe grouper.add(RecordRun(start: start, byteCount: memory.count))
        while let group = grouper.next() {
          for index in 0..<group.count { render(group[index], with: &renderer, to: &output) }
        }
      }
    }
    return output
  }

  private static func render(
    _ transaction: Transaction<WideRecords>, with renderer: inout LineRenderer,
    to output: inout [UInt8]
  ) {
    guard transaction.type == .request || transaction.type == .backendRequest else { return }
    var byteCount = 4096
    while true {
      let line = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
        var line = unsafe LineWriter(UnsafeMutableRawBufferPointer(buffer))
        let outcome = renderer.render(transaction, to: &line)
        count = line.overflowed || outcome == .noLine ? 0 : line.count
        byteCount = line.overflowed ? byteCount * 2 : 0
      }
      output += line
      if byteCount == 0 { return }
    }
  }

  /// The records of each transaction, as words in memory.
  private static func encode(_ example: TemplateExample) -> [[UInt32]] {
    guard let begin = tags.number(of: .begin), let end = tags.number(of: .end) else { return [] }
    var transactions: [[UInt32]] = []
    var vxid: UInt64 = 1
    var isEnded = true
    func append(_ tag: UInt8, _ side: Side, _ payload: [UInt8]) {
      transactions[transactions.count - 1] += encode(tag, side, payload, vxid: vxid)
      isEnded = tag == end
    }
    for record in example.records {
      if record.tag == begin {
        if !isEnded { append(end, record.side, []) }
        vxid += 1
        transactions.append([])
      }
      append(record.tag, record.side, record.payload)
    }
    if !isEnded { append(end, .client, []) }
    return transactions
  }

  /// One record, with the NUL behind its payload that logs have there.
  private static func encode(
    _ tag: UInt8, _ side: Side, _ payload: [UInt8], vxid: UInt64
  ) -> [UInt32] {
    let byteCount = payload.count + 1
    let header = WideRecords.headerByteCount
    var words = [UInt32](repeating: 0, count: (header + byteCount + 3) / 4)
    unsafe words.withUnsafeMutableBytes { memory in
      guard let start = memory.baseAddress else { return }
      unsafe WideRecords.writeHeader(
        to: start, tag: tag, payloadByteCount: byteCount, vxid: vxid, side: side)
      unsafe UnsafeMutableRawBufferPointer(rebasing: memory[header...]).copyBytes(from: payload)
    }
    return words
  }
}
