/// The escaping and the format of a valid template file.
struct TemplateSketch {
  private(set) var escaping = "ncsa"
  private(set) var format: [UInt8] = []

  private static let joints: [String: [UInt8]] = ["space": [0x20], "tab": [0x09]]

  init(_ source: [UInt8]) {
    var joint: [UInt8] = []
    var lines: [[UInt8]] = []
    var inFormat = false
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let source = source.starts(with: mark) ? Array(source.dropFirst(mark.count)) : source
    for line in source.split(separator: 0x0A) {
      let text = line.last == 0x0D ? line.dropLast() : line
      guard let first = text.first, first != UInt8(ascii: "#") else { continue }
      if first == 0x20 || first == 0x09 {
        if inFormat { lines.append(Self.trimmed(text)) }
        continue
      }
      let key = text.prefix { $0 != UInt8(ascii: ":") }
      let value = Self.trimmed(text.dropFirst(key.count + 1))
      inFormat = false
      switch String(decoding: key, as: UTF8.self) {
      case "escape": escaping = String(decoding: value, as: UTF8.self)
      case "join": joint = Self.joints[String(decoding: value, as: UTF8.self)] ?? []
      case "format":
        inFormat = true
        lines.append(value)
      default: continue
      }
    }
    format = Array(lines.filter { !$0.isEmpty }.joined(separator: joint))
  }

  private static func trimmed(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var rest = text.drop { $0 == 0x20 || $0 == 0x09 }
    while rest.last == 0x20 || rest.last == 0x09 { rest.removeLast() }
    return Array(rest)
  }
}
