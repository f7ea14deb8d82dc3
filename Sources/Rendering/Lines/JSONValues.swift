/// The pieces of a format for `-j`, with the pieces marked that are JSON values of their own.
///
/// Every object outside of strings is taken for JSON, and so is an array if the format begins with one. Other
/// text is left alone, and so is text that isn't JSON whatever the values are. In an object or array, a piece
/// without quotation marks that has nothing but blanks between it and the punctuation around it is a value,
/// and must be a number or null.
struct JSONValues {
  private(set) var items: [FormatItem]
  private(set) var placements: [ValuePlacement]

  private enum Token: Equatable {
    case punctuation(UInt8)
    case string
    /// Anything else without a blank in it.
    case bare(Range<Int>)
  }

  /// A byte of the format's text, or a piece that isn't text.
  private struct Element {
    let item: Int
    /// The byte's offset in its text; nil for a piece.
    let offset: Int?
  }

  private var elements: [Element] = []
  private var tokens: [Token] = []

  init(of items: [FormatItem]) {
    self.items = items
    placements = Array(repeating: .text, count: items.count)
    split()
    var dashes: [Element] = []
    var from = 0
    while from < tokens.count {
      guard
        tokens[from] == .punctuation(UInt8(ascii: "{"))
          || (from == 0 && tokens[0] == .punctuation(UInt8(ascii: "[")))
      else {
        from += 1
        continue
      }
      let (end, isWhole) = value(at: from)
      if isWhole {
        for case .bare(let range) in tokens[from..<end] where range.count == 1 {
          place(elements[range.lowerBound], &dashes)
        }
      }
      from = max(end, from + 1)
    }
    for dash in dashes.reversed() { replace(dash) }
  }

  // MARK: Values

  private mutating func place(_ element: Element, _ dashes: inout [Element]) {
    if let offset = element.offset {
      // A dash that `%l` was replaced by.
      if case .literal(let bytes) = items[element.item], bytes[offset] == UInt8(ascii: "-") {
        dashes.append(element)
      }
    } else if !items[element.item].isAlwaysNumber {
      placements[element.item] = .number
    }
  }

  private mutating func replace(_ dash: Element) {
    guard case .literal(var bytes) = items[dash.item], let offset = dash.offset else { return }
    bytes.replaceSubrange(offset...offset, with: Array("null".utf8))
    items[dash.item] = .literal(bytes)
  }

  // MARK: Structure

  /// Parses the object or array that begins at a token.
  ///
  /// - Returns: the token behind it, and true if it is complete; or the token at which it is invalid, and
  ///   false.
  private func value(at start: Int) -> (end: Int, isWhole: Bool) {
    enum Expectation { case value, valueOrEnd, name, nameOrEnd, colon, commaOrEnd }
    var closings: [UInt8] = []
    var expected = Expectation.value
    for index in start..<tokens.count {
      switch (expected, tokens[index]) {
      case (.value, .punctuation(UInt8(ascii: "{"))), (.valueOrEnd, .punctuation(UInt8(ascii: "{"))):
        closings.append(UInt8(ascii: "}"))
        expected = .nameOrEnd
      case (.value, .punctuation(UInt8(ascii: "["))), (.valueOrEnd, .punctuation(UInt8(ascii: "["))):
        closings.append(UInt8(ascii: "]"))
        expected = .valueOrEnd
      case (.value, .string), (.value, .bare), (.valueOrEnd, .string), (.valueOrEnd, .bare):
        expected = .commaOrEnd
      case (.name, .string), (.nameOrEnd, .string): expected = .colon
      case (.colon, .punctuation(UInt8(ascii: ":"))): expected = .value
      case (.commaOrEnd, .punctuation(UInt8(ascii: ","))):
        expected = closings.last == UInt8(ascii: "}") ? .name : .value
      case (.commaOrEnd, .punctuation(let byte)), (.valueOrEnd, .punctuation(let byte)),
        (.nameOrEnd, .punctuation(let byte)):
        guard byte == closings.popLast() else { return (index, false) }
        if closings.isEmpty { return (index + 1, true) }
        expected = .commaOrEnd
      default: return (index, false)
      }
    }
    return (tokens.count, false)
  }

  // MARK: Tokens

  private mutating func split() {
    for (index, item) in items.enumerated() {
      if case .literal(let bytes) = item {
        elements += bytes.indices.map { Element(item: index, offset: $0) }
      } else {
        elements.append(Element(item: index, offset: nil))
      }
    }
    var at = 0
    while at < elements.count {
      switch byte(at) {
      case 0x20, 0x09, 0x0A, 0x0D: at += 1
      case UInt8(ascii: "\""):
        at = endOfString(at + 1)
        tokens.append(.string)
      case .some(let byte) where Self.isPunctuation(byte):
        tokens.append(.punctuation(byte))
        at += 1
      default:
        let from = at
        while at < elements.count, !endsBare(at) { at += 1 }
        tokens.append(.bare(from..<at))
      }
    }
  }

  private func byte(_ at: Int) -> UInt8? {
    guard let offset = elements[at].offset, case .literal(let bytes) = items[elements[at].item] else {
      return nil
    }
    return bytes[offset]
  }

  private func endOfString(_ start: Int) -> Int {
    var at = start
    while at < elements.count {
      switch byte(at) {
      case UInt8(ascii: "\""): return at + 1
      case UInt8(ascii: "\\"): at += 2
      default: at += 1
      }
    }
    return elements.count
  }

  private func endsBare(_ at: Int) -> Bool {
    guard let byte = byte(at) else { return false }
    return [0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: "\"")].contains(byte) || Self.isPunctuation(byte)
  }

  private static func isPunctuation(_ byte: UInt8) -> Bool { "{}[]:,".utf8.contains(byte) }
}

extension FormatItem {
  /// Whether this piece always gives a number in JSON's notation.
  fileprivate var isAlwaysNumber: Bool {
    switch self {
    case .timeNumber(.seconds), .timeNumber(.milliseconds), .timeNumber(.microseconds),
      .timeNumber(.nanoseconds),
      .duration, .vxid:
      true
    default: false
    }
  }
}
