/// Exposed metrics, parsed strictly: an exposition that a reader would have to tolerate is an error.
public struct MetricsText: Sendable {
  /// One value.
  public struct Sample: Sendable {
    /// The whole name, including a suffix such as `_bucket`.
    public let name: String
    /// Its labels.
    public let labels: [String: String]
    /// The value as it is written.
    public let text: String

    /// The value.
    public var value: Double { text == "+Inf" ? .infinity : Double(text) ?? .nan }
  }

  /// The type of each metric family, by the family's name.
  public private(set) var types: [String: String] = [:]
  /// All values, in their order.
  public private(set) var samples: [Sample] = []
  private var helps: Set<String> = []

  /// Parses an exposition.
  ///
  /// - Parameter isOpen: whether it is in the format of OpenMetrics.
  public init(_ text: String, isOpen: Bool = false) throws(SupportError) {
    guard text.hasSuffix(isOpen ? "\n# EOF\n" : "\n") else {
      throw SupportError("no end: \(text.suffix(80))")
    }
    var family = ""
    var series: Set<String> = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      if line == "# EOF", isOpen { break }
      let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
      if line.hasPrefix("# HELP "), words.count == 4 {
        family = String(words[2])
        guard helps.insert(family).inserted else { throw SupportError("\(family) comes twice") }
      } else if line.hasPrefix("# TYPE "), words.count == 4 {
        guard words[2] == family, types[family] == nil else { throw SupportError("stray: \(line)") }
        types[family] = String(words[3])
      } else {
        let sample = try Self.sample(line)
        guard Self.names(family, types[family] ?? "", isOpen).contains(sample.name) else {
          throw SupportError("\(sample.name) among \(family)")
        }
        let key = sample.name + sample.labels.sorted { $0.key < $1.key }.description
        guard series.insert(key).inserted else { throw SupportError("twice: \(line)") }
        samples.append(sample)
      }
    }
  }

  /// The names that samples of a family may have.
  private static func names(_ family: String, _ type: String, _ isOpen: Bool) -> [String] {
    switch type {
    case "histogram": ["_bucket", "_sum", "_count"].map { family + $0 }
    case "counter" where isOpen: [family + "_total"]
    case "counter", "gauge", isOpen ? "unknown" : "untyped": [family]
    default: []
    }
  }

  private static func sample(_ line: Substring) throws(SupportError) -> Sample {
    let name = line.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
    var rest = line.dropFirst(name.count).unicodeScalars
    var labels: [String: String] = [:]
    if rest.first == "{" {
      repeat {
        rest.removeFirst()
        let label = rest.prefix { $0 == "_" || $0.properties.isAlphabetic || ("0"..."9").contains($0) }
        rest = rest.dropFirst(label.count)
        guard rest.starts(with: "=\"".unicodeScalars), !label.isEmpty else {
          throw SupportError("no label: \(line)")
        }
        rest = rest.dropFirst(2)
        var value = String.UnicodeScalarView()
        while let scalar = rest.popFirst(), scalar != "\"" {
          if scalar != "\\" {
            value.append(scalar)
            continue
          }
          switch rest.popFirst() {
          case "n": value.append("\n")
          case "\\": value.append("\\")
          case "\"": value.append("\"")
          default: throw SupportError("no escape: \(line)")
          }
        }
        guard labels.updateValue(String(value), forKey: String(label)) == nil else {
          throw SupportError("a label twice: \(line)")
        }
      } while rest.first == ","
      guard rest.popFirst() == "}" else { throw SupportError("no end of labels: \(line)") }
    }
    let text = String(rest.dropFirst())
    guard !name.isEmpty, name.first?.isNumber == false, rest.first == " ",
      text == "+Inf" || Double(text) != nil
    else { throw SupportError("no sample: \(line)") }
    return Sample(name: String(name), labels: labels, text: text)
  }

  /// The values of a name whose labels include these.
  public func all(_ name: String, _ labels: [String: String] = [:]) -> [Sample] {
    samples.filter { sample in
      sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
    }
  }

  /// The value of a name whose labels include these; nil if there are none or several.
  public subscript(name: String, labels: [String: String]) -> Double? {
    let found = all(name, labels)
    return found.count == 1 ? found[0].value : nil
  }

  /// The value of a metric that has only one.
  public subscript(name: String) -> Double? { self[name, [:]] }

  /// The sum of all values of a metric.
  public func sum(_ name: String, _ labels: [String: String] = [:]) -> Double {
    all(name, labels).reduce(0) { $0 + $1.value }
  }

  /// Checks every histogram: the buckets never decrease, and the last is `+Inf` and equals the count.
  public func checkHistograms() throws(SupportError) {
    for (family, type) in types where type == "histogram" {
      for count in all(family + "_count") {
        let buckets = all(family + "_bucket", count.labels)
        let bounds = buckets.map {
          $0.labels["le"] == "+Inf" ? .infinity : Double($0.labels["le"] ?? "") ?? .nan
        }
        guard bounds == bounds.sorted(), bounds.last == .infinity, Set(bounds).count == bounds.count,
          buckets.map(\.value) == buckets.map(\.value).sorted(), buckets.last?.value == count.value,
          all(family + "_sum", count.labels).count == 1
        else { throw SupportError("\(family): \(count.labels) is no histogram") }
      }
    }
  }
}
