import Pictures
import VarnishLog

/// A value of `-P`: a number in a record, and how it is drawn.
struct HistProfile {
  let measure: Measure
  /// The format of 'ncsa' that gives the number.
  let format: String
  let isBackend: Bool, includesESI: Bool

  /// The profiles that have names.
  private static let named: [(name: String, definition: String, isTime: Bool)] = [
    ("responsetime", "c:Timestamp:Process:3:-6:3", true),
    ("reqbodytime", "c:Timestamp:ReqBody:3:-6:3", true),
    ("size", "c:ReqAcct::5:1:8", false),
    ("Bereqtime", "b:Timestamp:Bereq:3:-6:3", true),
    ("Beresptime", "b:Timestamp:Beresp:3:-6:3", true),
    ("BerespBodytime", "b:Timestamp:BerespBody:3:-6:3", true),
    ("Besize", "b:BereqAcct::5:1:8", false),
  ]
  private static let fieldMax = 255, powerMax = 15

  /// Reads a profile's name, or a definition.
  init(_ text: String) throws(UsageError) {
    if let known = Self.named.first(where: { $0.name.lowercased() == text.lowercased() }) {
      try self.init(known.definition, name: known.name, isTime: known.isTime)
    } else if text.contains(":") {
      try self.init(text, name: text, isTime: text.lowercased().contains("timestamp"))
    } else {
      throw UsageError("-P: No such profile '\(text)'")
    }
  }

  /// The tag with a name in any release, as the release that wrote the log isn't known yet.
  private static func tag(_ name: String) -> Tag? {
    for version in [VarnishVersion(7, 1, 0), VarnishVersion(9, 0, 0)] {
      if case .found(let tag) = TagLookup(name.utf8, in: version) { return tag }
    }
    return nil
  }

  private init(_ definition: String, name: String, isTime: Bool) throws(UsageError) {
    var parts = definition.split(separator: ":", omittingEmptySubsequences: false).map(String.init)[...]
    var side = "c"
    if let first = parts.first, ["c", "b", "E"].contains(first) {
      side = first
      parts.removeFirst()
    }
    guard let tag = parts.popFirst(), let known = Self.tag(tag) else {
      throw UsageError("-P: '\(definition)' is not a valid tag name")
    }
    guard let prefix = parts.popFirst(), let number = parts.popFirst().flatMap({ Int($0) }),
      (1...Self.fieldMax).contains(number), parts.count == 0 || parts.count == 2
    else { throw UsageError("-P: '\(definition)' is not a valid profile definition") }
    let powers = parts.compactMap { Int($0) }
    guard powers.count == parts.count, powers.allSatisfy({ abs($0) <= Self.powerMax }),
      powers.isEmpty || powers[0] < powers[1]
    else { throw UsageError("-P: '\(definition)': the graph needs a lower and an upper power of ten") }
    // In a definition, the prefix counts as the first field; in formats it isn't counted.
    guard prefix.isEmpty || number > 1 else {
      throw UsageError("-P: '\(definition)': field 1 is the prefix itself")
    }
    format =
      prefix.isEmpty ? "%{VSL:\(known.name)[\(number)]}x" : "%{VSL:\(known.name):\(prefix)[\(number - 1)]}x"
    measure = Measure(name, isTime: isTime, low: powers.first ?? -6, high: powers.last ?? 3)
    (isBackend, includesESI) = (side == "b", side == "E")
  }
}
