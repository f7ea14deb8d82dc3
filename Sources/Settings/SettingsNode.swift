/// Settings as they are written, before they are interpreted.
public enum SettingsNode: Equatable, Sendable {
  /// A text, or a missing value.
  case scalar(SettingsScalar)
  /// Keys with their values.
  case mapping(SettingsMapping)
  /// A list.
  case sequence(SettingsSequence)

  /// Where the node begins.
  public var place: SettingsPlace {
    switch self {
    case .scalar(let scalar): scalar.place
    case .mapping(let mapping): mapping.place
    case .sequence(let sequence): sequence.place
    }
  }

  /// What the node is called in messages.
  var shown: String {
    switch self {
    case .scalar(let scalar): scalar.hasValue ? Excerpt.quoted(scalar.text) : "no value"
    case .mapping: "a mapping"
    case .sequence: "a list"
    }
  }
}

/// A value that is a text without a type: `no`, `0644` and `~` are just their characters.
public struct SettingsScalar: Equatable, Sendable {
  /// The text; empty if there is no value.
  public let text: String
  /// Whether there is a value, which may be an empty text in quotation marks.
  public let hasValue: Bool
  /// Where the value begins: at its quotation mark, if it has one; after the key if there is no value.
  public let place: SettingsPlace

  /// A text; nil stands for a missing value.
  public init(_ text: String?, at place: SettingsPlace) {
    self.text = text ?? ""
    hasValue = text != nil
    self.place = place
  }
}

/// Keys with their values, in the order in which they are written; each key is there once.
public struct SettingsMapping: Equatable, Sendable {
  /// A key with its value.
  public struct Entry: Equatable, Sendable {
    /// The key.
    public let key: String
    /// Where the key begins.
    public let place: SettingsPlace
    /// The key's value.
    public let value: SettingsNode

    /// A key with its value.
    public init(key: String, at place: SettingsPlace, value: SettingsNode) {
      self.key = key
      self.place = place
      self.value = value
    }
  }

  /// Where the mapping begins.
  public let place: SettingsPlace
  /// The keys with their values, in their order.
  public private(set) var entries: [Entry] = []
  private var indexes: [String: Int] = [:]

  /// A mapping without keys.
  public init(at place: SettingsPlace) { self.place = place }

  /// The entry with a key.
  public subscript(key: String) -> Entry? { indexes[key].map { entries[$0] } }

  /// Adds an entry, unless its key is there already.
  ///
  /// - Returns: whether it was added.
  @discardableResult
  public mutating func add(_ entry: Entry) -> Bool {
    guard indexes[entry.key] == nil else { return false }
    indexes[entry.key] = entries.count
    entries.append(entry)
    return true
  }

  /// The mistake for a key that the mapping has already; nil if it doesn't have the key.
  func repeated(_ key: String, at place: SettingsPlace) -> SettingsMistake? {
    guard let first = self[key] else { return nil }
    return SettingsMistake(
      place: place, key: key, found: "a second time",
      expected: "it only once, as in \(first.place.reference)")
  }
}

/// A list of values in their order.
public struct SettingsSequence: Equatable, Sendable {
  /// Where the list begins.
  public let place: SettingsPlace
  /// The values.
  public let items: [SettingsNode]

  /// A list of values.
  public init(_ items: [SettingsNode], at place: SettingsPlace) {
    self.items = items
    self.place = place
  }
}

/// The result of reading a text.
public struct ParsedSettings: Equatable, Sendable {
  /// The settings, without those that can't be used; nil if the text can't be read to its end.
  public let node: SettingsNode?
  /// The mistakes in the order of their places; empty if there are none.
  public let mistakes: [SettingsMistake]
}
