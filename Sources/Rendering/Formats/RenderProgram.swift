/// A format as steps in plain memory, with the texts they need.
///
/// The caller owns the memory and calls `deallocate`.
@safe struct RenderProgram {
  // Invariant: there are steps from `start` to `end`, whose texts are in `pool`; both are written only in
  // `init`.

  /// The steps in the order in which they are written, the end of the line included.
  let start: UnsafePointer<RenderStep>
  let end: UnsafePointer<RenderStep>
  private let pool: TextPool

  /// A step under construction.
  private struct Draft {
    var kind = RenderStep.Kind.nothing
    var placement = ValuePlacement.text
    var index = 0
    var missing: [UInt8] = []
    var text: [UInt8] = []
  }

  /// Compiles a format to steps.
  ///
  /// - Parameters:
  ///   - slotOfItem: the slots of the pieces' values.
  ///   - clocks: the clock for each piece that is a time.
  ///   - isPlain: whether plain bytes can be copied when values are escaped in the usual way.
  init(
    _ items: [FormatItem], _ placements: [ValuePlacement], _ rules: NCSARules, _ style: LineStyle,
    _ slotOfItem: [Int?], clocks: [Int: Int], isPlain: Bool
  ) {
    var drafts: [Draft] = [Draft()]
    for (index, item) in items.enumerated() {
      if case .literal(let text) = item {
        drafts[drafts.count - 1].text += text
      } else if case .requestLine = item, placements[index] == .text, !style.missesEmpty {
        drafts += Self.requestLine(rules, valueKind: isPlain ? .plain : .value)
      } else {
        drafts.append(
          Self.draft(
            of: item, at: index, placements[index], style, slot: slotOfItem[index], clocks, isPlain: isPlain))
      }
    }
    drafts[drafts.count - 1].text.append(UInt8(ascii: "\n"))
    if drafts[0].text.isEmpty { drafts.removeFirst() }
    var texts: [PooledText] = []
    pool = TextPool(drafts.flatMap { [$0.missing, $0.text] }, places: &texts)
    let steps = UnsafeMutablePointer<RenderStep>.allocate(capacity: drafts.count)
    unsafe start = UnsafePointer(steps)
    unsafe end = UnsafePointer(steps + drafts.count)
    for (index, draft) in drafts.enumerated() {
      unsafe (steps + index).initialize(
        to: RenderStep(
          kind: draft.kind, placement: draft.placement, index: UInt32(draft.index),
          missing: texts[2 * index], text: texts[2 * index + 1]))
    }
  }

  func deallocate() {
    unsafe start.deallocate()
    pool.deallocate()
  }

  private static func draft(
    of item: FormatItem, at index: Int, _ placement: ValuePlacement, _ style: LineStyle, slot: Int?,
    _ clocks: [Int: Int], isPlain: Bool
  ) -> Draft {
    let isText = placement == .text && !style.missesEmpty
    let other = Draft(kind: .item, index: index)
    switch item {
    case .time: return placement == .number ? other : Draft(kind: .time, index: clocks[index] ?? 0)
    case .user:
      return isText ? Draft(kind: .user, missing: style.missingUser) : other
    case .duration(let unit):
      return placement == .text ? Draft(kind: .duration, index: Int(unit.rawValue)) : other
    case .timeNumber(.timestamp): return placement == .number ? other : Draft(kind: .timestamp)
    case .timeNumber(let number):
      return placement == .text ? Draft(kind: .timeNumber, index: Int(number.rawValue)) : other
    case .hitMiss: return placement == .text ? Draft(kind: .hitMiss, missing: style.missingHandling) : other
    case .handling: return placement == .text ? Draft(kind: .handling, missing: style.missingHandling) : other
    case .side: return placement == .number ? other : Draft(kind: .side)
    case .vxid: return Draft(kind: .vxid)
    default: break
    }
    guard let slot, let missing = missingText(for: item, style) else { return other }
    var draft = Draft(placement: placement, index: slot, missing: missing)
    switch placement {
    case .text where isText: draft.kind = isPlain ? .plain : .value
    case .text, .word, .column: draft.kind = .column
    case .number:
      draft.kind = .number
      draft.missing = style.missingBareNumber
    case .string where !style.missesEmpty:
      draft.kind = .string
      // A protocol is never missing.
      draft.missing = item == .field(.httpProtocol) ? Array("\"HTTP/1.0\"".utf8) : style.missingString
    case .string, .name, .httpProtocol: return other
    }
    return draft
  }

  /// Method, absolute URL and protocol (`ncsa-format.md` 5.3).
  private static func requestLine(_ rules: NCSARules, valueKind: RenderStep.Kind) -> [Draft] {
    typealias Field = FormatItem.Field
    func value(_ field: Field, or missing: StaticString, then text: StaticString = "") -> Draft {
      Draft(
        kind: valueKind, index: field.rawValue, missing: missing.withUTF8Buffer { unsafe Array($0) },
        text: text.withUTF8Buffer { unsafe Array($0) })
    }
    return [
      value(.method, or: "-", then: " "),
      Draft(kind: .host, missing: Array("http://localhost".utf8)),
      value(.url, or: rules.since(4, 0) ? "" : "-"),
      value(.queryString, or: "", then: " "),
      value(.httpProtocol, or: "HTTP/1.0"),
    ]
  }

  /// The replacement for a missing value that is printed as it was logged; nil if the value needs more than
  /// that.
  private static func missingText(for item: FormatItem, _ style: LineStyle) -> [UInt8]? {
    switch item {
    case .requestHeader, .responseHeader, .record: style.missingText
    case .logKey: style.missingLogKey
    case .field(let field):
      switch field {
      case .remoteAddress, .method, .url: style.missingText
      case .status, .bytesReceived, .bodyBytesSent, .bytesSent: style.missingNumber
      case .firstByte: style.missingFirstByte
      case .queryString: style.missingQuery
      case .httpProtocol: Array("HTTP/1.0".utf8)
      }
    default: nil
    }
  }
}
