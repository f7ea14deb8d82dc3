/// A JSON value to be written.
package enum JSONText {
  case object([(String, JSONText)])
  case array([JSONText])
  case text(String)
  case whole(Int)
  /// Identities and places, which may be too large for `whole`.
  case natural(UInt64)
  case flag(Bool)
  /// Seconds and rates; rounded to thousandths.
  case number(Double)
  case null

  /// A number, or null.
  package static func number(_ value: Double?) -> JSONText { value.map { .number($0) } ?? .null }

  /// A whole number, or null.
  package static func whole(_ value: Int?) -> JSONText { value.map { .whole($0) } ?? .null }

  /// The value on one line.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return bytes
  }

  private func write(to bytes: inout [UInt8]) {
    switch self {
    case .object(let members):
      Self.writeList(members, "{", "}", to: &bytes) { member, bytes in
        Self.writeString(member.0, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        member.1.write(to: &bytes)
      }
    case .array(let values): Self.writeList(values, "[", "]", to: &bytes) { $0.write(to: &$1) }
    case .text(let text): Self.writeString(text, to: &bytes)
    case .whole(let number): bytes += "\(number)".utf8
    case .natural(let number): bytes += "\(number)".utf8
    case .flag(let isOn): bytes += "\(isOn)".utf8
    case .number(let number):
      // Beyond this, JSON readers lose digits; and JSON has no values that aren't numbers.
      guard number.isFinite, abs(number) < 9e15 else { return Self.null.write(to: &bytes) }
      let thousandths = (number * 1000).rounded() / 1000
      bytes += (thousandths == thousandths.rounded() ? "\(Int(thousandths))" : "\(thousandths)").utf8
    case .null: bytes += "null".utf8
    }
  }

  private static func writeList<Element>(
    _ elements: [Element], _ start: String, _ end: String, to bytes: inout [UInt8],
    _ write: (Element, inout [UInt8]) -> Void
  ) {
    bytes += start.utf8
    for (index, element) in elements.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      write(element, &bytes)
    }
    bytes += end.utf8
  }

  private static func writeString(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case 0..<0x20, 0x7F:
        let digits = String(byte, radix: 16)
        bytes += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
