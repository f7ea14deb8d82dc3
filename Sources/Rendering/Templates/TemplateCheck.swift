import Transactions
import VarnishLog

/// An example whose output isn't what its template says.
public struct TemplateCheckFailure: Sendable, CustomStringConvertible {
  /// The file's path, or another name for messages.
  public let place: String
  /// The line of the example's `expect:`; of its `example:`, if it couldn't be run.
  public let line: Int
  /// The title of the example.
  public let title: String
  /// The expected lines.
  public let expected: [[UInt8]]
  /// The actual lines.
  public let actual: [[UInt8]]

  /// Several lines: the place, the actual lines, and the expected ones.
  public var description: String {
    let name = title.isEmpty ? "" : " '\(title)'"
    return
      (["\(place):\(line): example\(name)", "  gives"] + Self.shown(actual) + ["  instead of"]
      + Self.shown(expected)).joined(separator: "\n")
  }

  /// Lines in a form that a terminal may show.
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
  /// Renders the examples, with times in UTC, and compares the lines; also compares the fields with the
  /// header's.
  ///
  /// - Returns: the examples that failed, or don't match the header; empty if all are right.
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

/// Runs examples: encodes them as a log, and renders them to lines.
enum TemplateCheck {
  /// The tag numbering of the log that examples are encoded as.
  static let tags = TagTable(.v73)
  /// The rules for that log.
  static let rules = NCSARules.natural(for: .v73)

  /// The output of a template for an example.
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
      // As words, so that headers are aligned.
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

  /// One record, with the NUL behind its payload as in logs.
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
