import FuzzSupport
import Settings

/// Reads the input as a settings file.
struct FileTrial {
  private let source: [UInt8]
  /// The lines as an editor shows them.
  private let lines: [String]

  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  init(_ source: [UInt8]) {
    self.source = source
    let text = source.starts(with: Self.byteOrderMark) ? source.dropFirst(3) : source[...]
    lines = text.split(separator: 0x0A, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  func run() {
    let parsed = read(source)
    require(read(source) == parsed, "another outcome the second time")
    if !source.contains(0x0D) {
      let withReturns = source.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
      require(read(withReturns) == parsed, "another outcome with CR LF")
    }
    if !source.starts(with: Self.byteOrderMark), !source.starts(with: [0xFF]), !source.starts(with: [0xFE]) {
      require(read(Self.byteOrderMark + source) == parsed, "another outcome with a byte order mark")
    }
    MistakeCheck.examine(parsed) { place in
      require(lines.indices.contains(place.line - 1), "a place in line \(place.line) of \(lines.count)")
      let count = lines[place.line - 1].unicodeScalars.count
      require((1...count + 1).contains(place.column), "a place in column \(place.column) of \(count)")
    }
    guard let node = parsed.node else { return }
    examine(node, depth: 1, isClean: parsed.mistakes.isEmpty)
    ReaderCheck.examine(parsed)
  }

  private func read(_ bytes: [UInt8]) -> ParsedSettings { YAMLReader.read(bytes, path: "file") }

  private func examine(_ node: SettingsNode, depth: Int, isClean: Bool) {
    switch node {
    case .scalar(let scalar):
      require(scalar.hasValue || scalar.text.isEmpty, "a text where there is no value")
      if scalar.hasValue { examine(scalar.text, at: scalar.place, isClean: isClean) }
    case .mapping(let mapping):
      require(depth <= YAMLReader.depthMax, "a mapping in depth \(depth)")
      var keys: Set<String> = []
      for entry in mapping.entries {
        require(!entry.key.isEmpty && keys.insert(entry.key).inserted, "a key that is there twice, or none")
        require(mapping[entry.key] == entry, "another entry for a key")
        examine(entry.key, at: entry.place, isClean: isClean)
        examine(entry.value, depth: depth + 1, isClean: isClean)
      }
    case .sequence(let sequence):
      require(depth <= YAMLReader.depthMax, "a list in depth \(depth)")
      for item in sequence.items { examine(item, depth: depth + 1, isClean: isClean) }
    }
  }

  /// Checks that a text begins at its place: with itself, or with the mark of another notation.
  private func examine(_ text: String, at place: SettingsPlace, isClean: Bool) {
    guard isClean else { return }
    require(lines.indices.contains(place.line - 1), "a text in line \(place.line) of \(lines.count)")
    let first = lines[place.line - 1].unicodeScalars.dropFirst(place.column - 1).first
    require(
      first.map { "\"'|>".unicodeScalars.contains($0) || $0 == text.unicodeScalars.first } == true,
      "another text at \(place): \(text.debugDescription)")
  }
}
