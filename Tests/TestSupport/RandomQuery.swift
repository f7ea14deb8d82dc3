/// Makes up queries from the contents of a log, so that many select something and few everything.
public struct RandomQuery: Sendable {
  private let words: LogWords

  /// Takes its words from a log.
  public init(_ words: LogWords) { self.words = words }

  /// A query, now and then one with a fault.
  public func make(_ random: inout SeededGenerator) -> String {
    var query = expression(depth: 3, &random)
    if Int.random(in: 0..<8, using: &random) == 0 { query += "\n" + expression(depth: 1, &random) }
    if Int.random(in: 0..<8, using: &random) == 0 { query += " # " + expression(depth: 0, &random) }
    if Int.random(in: 0..<6, using: &random) == 0 { damage(&query, &random) }
    return query
  }

  private func damage(_ query: inout String, _ random: inout SeededGenerator) {
    let place = query.indices.randomElement(using: &random) ?? query.startIndex
    if Bool.random(using: &random) {
      query.remove(at: place)
    } else {
      let bytes = Array("()[]{}:,~!=<>\"'\\#*+-.0a \n;")
      query.insert(bytes[Int.random(in: bytes.indices, using: &random)], at: place)
    }
  }

  private func expression(depth: Int, _ random: inout SeededGenerator) -> String {
    guard depth > 0 else { return comparison(&random) }
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return "not (\(expression(depth: depth - 1, &random)))"
    case 1: return "not \(comparison(&random))"
    case 2: return "(\(expression(depth: depth - 1, &random)))"
    case 3, 4:
      return expression(depth: depth - 1, &random) + " and " + expression(depth: depth - 1, &random)
    case 5:
      return expression(depth: depth - 1, &random) + " or " + expression(depth: depth - 1, &random)
    default: return comparison(&random)
    }
  }

  private func comparison(_ random: inout SeededGenerator) -> String {
    let relations = ["==", "!=", "<", "<=", ">", ">="]
    let relation = relations[Int.random(in: 0..<6, using: &random)]
    if Int.random(in: 0..<20, using: &random) == 0 {
      return "vxid \(relation) \(words.vxids.randomElement(using: &random) ?? 0)"
    }
    guard let sample = words.samples.randomElement(using: &random) else { return "*" }
    var text = sample.text[...]
    var query = ""
    if Int.random(in: 0..<6, using: &random) == 0 {
      query +=
        "{\(Int.random(in: 0...3, using: &random))\(["", "-", "+"].randomElement(using: &random) ?? "")}"
    }
    query += words.tag(sample.tag, &random)
    if Int.random(in: 0..<10, using: &random) == 0, let other = words.samples.randomElement(using: &random) {
      query += ", \(other.tag)"
    }
    if let colon = text.firstIndex(of: ":"), Int.random(in: 0..<4, using: &random) > 0 {
      var prefix = String(text[..<colon])
      if Bool.random(using: &random) { prefix = prefix.lowercased() }
      query += ":" + word(prefix, &random)
      text = text[text.index(after: colon)...].drop { $0 == " " }
    }
    if Int.random(in: 0..<3, using: &random) == 0 {
      let fields = text.split(separator: " ")
      let number = Int.random(in: 1...max(fields.count, 1), using: &random)
      query += "[\(number)]"
      text = fields.isEmpty ? "" : fields[number - 1]
    }
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return query
    case 1, 2, 3: return "\(query) \(relation) \(number(near: text, &random))"
    case 4, 5:
      return query + (Bool.random(using: &random) ? " eq " : " ne ") + word(String(text), &random)
    default:
      return query + (Bool.random(using: &random) ? " ~ " : " !~ ")
        + word(words.pattern(in: text, &random), &random)
    }
  }

  private func number(near text: Substring, _ random: inout SeededGenerator) -> String {
    let found = text.split { !$0.isNumber && $0 != "." }.filter { $0.contains(where: \.isNumber) }
    if Int.random(in: 0..<3, using: &random) > 0, let number = found.randomElement(using: &random) {
      return String(number)
    }
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return "\(Int.random(in: -2...2, using: &random))"
    case 1: return "\(Double(Int.random(in: 0..<5000, using: &random)) / 1000)"
    case 2: return "0x\(String(Int.random(in: 0...600, using: &random), radix: 16))"
    default: return "\(Int.random(in: 0...600, using: &random))"
    }
  }

  /// A word as it is written in a query, in quotation marks of either kind if it needs them.
  private func word(_ text: String, _ random: inout SeededGenerator) -> String {
    let isBare =
      !text.isEmpty && !["and", "or", "not", "eq", "ne", "vxid"].contains(text)
      && text.utf8.allSatisfy { byte in
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.*".utf8.contains(byte)
      }
    if isBare, Bool.random(using: &random) { return text }
    let quote: Character = Bool.random(using: &random) ? "\"" : "'"
    var word = "\(quote)"
    for character in text {
      if character == quote || character == "\\" { word.append("\\") }
      word.append(character)
    }
    return word + "\(quote)"
  }
}
