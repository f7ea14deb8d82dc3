import Glibc
import LogReading
import Platform

/// The counters once, as varnishstat writes them to something else than a terminal.
public struct CounterReport: Sendable {
  /// The form of a report.
  public enum Form: Sendable {
    /// A line each: name, value, average, description.
    case table
    /// A line each: name, description.
    case names
    /// JSON of 6.5 and later, where the counters are an object of their own.
    case json
    /// JSON of 5.2 to 6.4.
    case oldJSON
    case xml
  }

  private let shown: ShownCounters

  /// Reports on counters.
  public init(_ shown: ShownCounters) { self.shown = shown }

  /// The report.
  ///
  /// - Parameter timestamp: the time of the sample, in the form `2026-11-29T18:30:00`.
  public func text(_ form: Form, timestamp: String) -> [UInt8] {
    switch form {
    case .table: table
    case .names: names
    case .json: json(timestamp)
    case .oldJSON: oldJSON(timestamp)
    case .xml: xml(timestamp)
    }
  }

  /// The time on this machine's clock, as reports bear it.
  public static var timestamp: String {
    var (seconds, parts) = unsafe (time(nil), tm())
    unsafe localtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 64)
    let count = unsafe strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  // MARK: Lines

  private static let nameWidth = 17

  private var table: [UInt8] {
    var text = ""
    // A longer name moves what follows in all lines behind it.
    var width = Self.nameWidth
    for entry in shown.entries {
      let name = VisibleText.oneLine(entry.name)
      width = max(width, name.utf8.count)
      let average = entry.average(over: shown.workerSeconds).map { Self.decimal($0) } ?? ".  "
      text += "\(name.padded(to: width)) \(Self.right("\(entry.value)")) \(Self.right(average)) "
      text += VisibleText.oneLine(entry.counter.summary) + "\n"
    }
    return Array(text.utf8)
  }

  private var names: [UInt8] {
    var text = "Varnishstat -f option fields:\n"
    text += "Field name                     Description\n"
    text += "----------                     -----------\n"
    for entry in shown.entries {
      text += VisibleText.oneLine(entry.name).padded(to: 30) + " "
      text += VisibleText.oneLine(entry.counter.summary) + "\n"
    }
    return Array(text.utf8)
  }

  private static func right(_ text: String) -> String {
    String(repeating: " ", count: max(0, 12 - text.utf8.count)) + text
  }

  /// A number with two digits behind the point, exactly as C's `printf` writes it.
  static func decimal(_ number: Double) -> String {
    // The largest has 309 digits in front of the point.
    var buffer = [CChar](repeating: 0, count: 320)
    let count = unsafe withVaList([number]) { unsafe vsnprintf(&buffer, buffer.count, "%.2f", $0) }
    return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  // MARK: JSON

  private func json(_ timestamp: String) -> [UInt8] {
    let head = "{\n  \"version\": 1,\n  \"timestamp\": \"\(timestamp)\",\n  \"counters\": {\n"
    return head.utf8 + members(indent: "    ", betweenLetters: ",\n      ") + "\n  }\n}\n".utf8
  }

  private func oldJSON(_ timestamp: String) -> [UInt8] {
    "{\n  \"timestamp\": \"\(timestamp)\",\n".utf8 + members(indent: "  ", betweenLetters: ", ")
      + "\n}\n".utf8
  }

  /// An object for each counter.
  private func members(indent: String, betweenLetters: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for (index, entry) in shown.entries.enumerated() {
      if index > 0 { bytes += ",\n".utf8 }
      bytes += indent.utf8 + JSONText.text(entry.name).bytes
      bytes += ": {\n\(indent)  \"description\": ".utf8 + JSONText.text(entry.counter.summary).bytes
      bytes += ",\n\(indent)  \"flag\": \"\(entry.counter.kind.letter)\"\(betweenLetters)".utf8
      bytes += "\"format\": \"\(entry.counter.format.letter)\"".utf8
      bytes += ",\n\(indent)  \"value\": \(entry.value)\n\(indent)}".utf8
    }
    return bytes
  }

  // MARK: XML

  private func xml(_ timestamp: String) -> [UInt8] {
    var text = "<?xml version=\"1.0\"?>\n<varnishstat timestamp=\"\(timestamp)\">\n"
    for entry in shown.entries {
      text += "\t<stat>\n\t\t<name>\(Self.escaped(entry.name))</name>\n\t\t<value>\(entry.value)</value>\n"
      text += "\t\t<flag>\(entry.counter.kind.letter)</flag>\n"
      text += "\t\t<format>\(entry.counter.format.letter)</format>\n"
      text += "\t\t<description>\(Self.escaped(entry.counter.summary))</description>\n\t</stat>\n"
    }
    return Array((text + "</varnishstat>\n").utf8)
  }

  private static func escaped(_ text: String) -> String {
    VisibleText.oneLine(text).map { character in
      switch character {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      default: String(character)
      }
    }.joined()
  }
}

extension Counter.Kind {
  /// The letter that stands for it in reports.
  var letter: Character {
    switch self {
    case .counter: "c"
    case .gauge: "g"
    case .bitmap: "b"
    case .unknown: "?"
    }
  }
}

extension Counter.Format {
  /// The letter that stands for it in reports.
  var letter: Character {
    switch self {
    case .integer: "i"
    case .bytes: "B"
    case .bitmap: "b"
    case .duration: "d"
    case .unknown: "?"
    }
  }
}

extension String {
  /// The text with blanks behind it, up to `width` bytes.
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - utf8.count)) }
}
