import Platform

/// Takes settings out of a mapping, each by its own reader, and reports every mistake.
///
/// ```swift
/// var reader = SettingsReader(YAMLReader.read(bytes, path: path))
/// let period = reader.take("rotate-every", expecting: "a time") { text throws(OptionValueError) in
///   try TimeSpan(text)
/// }
/// let isCompressed = reader.takeSwitch("gzip") ?? false
/// for mistake in reader.finish() { complain(mistake.description) }
/// ```
///
/// A value that is taken is nil if it isn't set, or if it can't be read, which is reported as a mistake. All
/// settings that are allowed have to be asked for: `finish` reports the others as unknown.
public struct SettingsReader {
  /// Where the settings begin; nil if nothing could be read.
  public let place: SettingsPlace?

  private let mapping: SettingsMapping?
  private var mistakes: [SettingsMistake]
  /// The keys that were asked for, in that order.
  private var known: [String] = []
  private var taken: Set<String> = []

  /// Reads the settings of a text; adds to the mistakes found in it so far.
  public init(_ parsed: ParsedSettings) {
    self.init(parsed.node, key: nil)
    mistakes = parsed.mistakes + mistakes
  }

  private init(_ node: SettingsNode?, key: String?) {
    place = node?.place
    mistakes = []
    switch node {
    case .mapping(let mapping): self.mapping = mapping
    case .some(let node):
      mapping = nil
      mistakes = [Self.mismatch(node, key: key, expected: "a mapping, as in \"key: value\"")]
    case nil: mapping = nil
    }
  }

  // MARK: One value

  /// Takes a text.
  public mutating func take(_ key: String, expecting expected: String = "a text") -> String? {
    take(key, expecting: expected) { $0 }
  }

  /// Takes a setting.
  ///
  /// - Parameters:
  ///   - expected: what a message says is expected if the value is missing, or is a list or a mapping.
  ///   - read: interprets the text; the text of an error is reported with the place.
  public mutating func take<Value, Failure: Error>(
    _ key: String, expecting expected: String = "a text", _ read: (String) throws(Failure) -> Value
  ) -> Value? {
    guard let node = entry(key)?.value else { return nil }
    return value(of: node, key: key, expecting: expected, read)
  }

  /// Takes a switch: on if its key has no value, otherwise as the value says.
  public mutating func takeSwitch(_ key: String) -> Bool? {
    guard let node = entry(key)?.value else { return nil }
    if let isOn = Self.isOn(node) { return isOn }
    mistakes.append(Self.mismatch(node, key: key, expected: "yes or no, true or false, on or off"))
    return nil
  }

  /// Takes a switch that may have a value instead, as in `gzip`, `gzip: no` and `gzip: 9`.
  public mutating func takeSwitch<Value, Failure: Error>(
    _ key: String, expecting expected: String = "yes, no or a text",
    orValue read: (String) throws(Failure) -> Value
  ) -> SettingsSwitch<Value>? {
    guard let node = entry(key)?.value else { return nil }
    if let isOn = Self.isOn(node) { return isOn ? .on : .off }
    return value(of: node, key: key, expecting: expected, read).map { .value($0) }
  }

  /// Whether a switch is on; nil if the value is neither on nor off.
  private static func isOn(_ node: SettingsNode) -> Bool? {
    guard case .scalar(let scalar) = node else { return nil }
    if !scalar.hasValue { return true }
    switch scalar.text.lowercased() {
    case "yes", "true", "on": return true
    case "no", "false", "off": return false
    default: return nil
    }
  }

  // MARK: Several

  /// Takes a list of texts; a single text is a list of one.
  public mutating func takeList(_ key: String, expecting expected: String = "a text") -> [String]? {
    takeList(key, expecting: expected) { $0 }
  }

  /// Takes a list of settings, each of which is read by itself; a single one is a list of one.
  ///
  /// - Returns: the values that can be read.
  public mutating func takeList<Value, Failure: Error>(
    _ key: String, expecting expected: String = "a text", _ read: (String) throws(Failure) -> Value
  ) -> [Value]? {
    guard let node = entry(key)?.value else { return nil }
    return Self.items(of: node).compactMap { value(of: $0, key: key, expecting: expected, read) }
  }

  /// Takes a mapping, whose settings the closure takes.
  @discardableResult
  public mutating func takeMapping<Value>(
    _ key: String, _ read: (inout SettingsReader) -> Value
  ) -> Value? {
    guard let node = entry(key)?.value else { return nil }
    return self.read(node, key: key, read)
  }

  /// Takes a list of mappings; a single mapping is a list of one.
  @discardableResult
  public mutating func takeMappings<Value>(
    _ key: String, _ read: (inout SettingsReader) -> Value
  ) -> [Value]? {
    guard let node = entry(key)?.value else { return nil }
    return Self.items(of: node).compactMap { self.read($0, key: key, read) }
  }

  /// Takes a mapping of mappings: the closure is given the name and the settings of each.
  @discardableResult
  public mutating func takeNamedMappings<Value>(
    _ key: String, _ read: (String, inout SettingsReader) -> Value
  ) -> [Value]? {
    guard let node = entry(key)?.value else { return nil }
    guard case .mapping(let mapping) = node else {
      mistakes.append(Self.mismatch(node, key: key, expected: "a mapping of names to settings"))
      return nil
    }
    return mapping.entries.compactMap { entry in
      self.read(entry.value, key: entry.key) { reader in read(entry.key, &reader) }
    }
  }

  // MARK: Mistakes

  /// Whether there were mistakes so far, or there are settings that haven't been asked for yet.
  ///
  /// If so, the settings taken together may not be what was intended.
  public var hasMistakes: Bool {
    !mistakes.isEmpty || mapping?.entries.contains { !taken.contains($0.key) } ?? false
  }

  /// Where a setting's value is; nil if it isn't set.
  public func place(of key: String) -> SettingsPlace? { mapping?[key]?.value.place }

  /// Adds a mistake in the combination of several settings: at the key's value if the key is set, otherwise
  /// where the settings begin.
  public mutating func report(_ key: String, found: String, expected: String) {
    // Without a place the settings couldn't be read, which is among the mistakes already.
    guard let place = place(of: key) ?? place else { return }
    mistakes.append(SettingsMistake(place: place, key: key, found: found, expected: expected))
  }

  /// All mistakes in the order of their places, including settings that weren't asked for.
  public consuming func finish() -> [SettingsMistake] {
    let choice =
      known.isEmpty ? "none" : known.count == 1 ? known[0] : "one of \(known.joined(separator: ", "))"
    for entry in mapping?.entries ?? [] where !taken.contains(entry.key) {
      let near = EditDistance.names(near: entry.key, among: known)
      mistakes.append(
        SettingsMistake(
          place: entry.place, key: entry.key, found: "no such setting",
          hint: near.isEmpty ? "expected \(choice)" : "did you mean \(near.joined(separator: " or "))?"))
    }
    return mistakes.inOrder()
  }

  // MARK: Parts

  private mutating func entry(_ key: String) -> SettingsMapping.Entry? {
    if taken.insert(key).inserted { known.append(key) }
    return mapping?[key]
  }

  private mutating func read<Value>(
    _ node: SettingsNode, key: String, _ read: (inout SettingsReader) -> Value
  ) -> Value? {
    var reader = SettingsReader(node, key: key)
    guard reader.mapping != nil else {
      mistakes += reader.mistakes
      return nil
    }
    let value = read(&reader)
    mistakes += reader.finish()
    return value
  }

  private mutating func value<Value, Failure: Error>(
    of node: SettingsNode, key: String, expecting expected: String, _ read: (String) throws(Failure) -> Value
  ) -> Value? {
    guard case .scalar(let scalar) = node, scalar.hasValue else {
      mistakes.append(Self.mismatch(node, key: key, expected: expected))
      return nil
    }
    do {
      return try read(scalar.text)
    } catch {
      mistakes.append(Self.refusal(scalar, key: key, "\(error)"))
      return nil
    }
  }

  private static func items(of node: SettingsNode) -> [SettingsNode] {
    guard case .sequence(let sequence) = node else { return [node] }
    return sequence.items
  }

  private static func mismatch(_ node: SettingsNode, key: String?, expected: String) -> SettingsMistake {
    SettingsMistake(place: node.place, key: key, found: node.shown, expected: expected)
  }

  /// The mistake for a value that its reader refuses: the reader's message, after the value unless the
  /// message begins with it.
  private static func refusal(_ scalar: SettingsScalar, key: String, _ words: String) -> SettingsMistake {
    let value = Excerpt.quoted(scalar.text)
    let option = "--\(key): "
    var words = words.hasPrefix(option) ? words.dropFirst(option.count) : words[...]
    let written = "\"\(scalar.text)\""
    guard words.hasPrefix(written) else {
      return SettingsMistake(place: scalar.place, key: key, found: value, hint: String(words))
    }
    words = words.dropFirst(written.count)
    return SettingsMistake(place: scalar.place, key: key, found: value + words, hint: "")
  }
}
