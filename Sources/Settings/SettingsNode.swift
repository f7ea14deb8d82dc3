/// Settings as they are written, before it is known what they mean.
public enum SettingsNode: Equatable, Sendable {
  /// A text, or a place where one is left out.
  case scalar(SettingsScalar)
  /// Keys with their values.
  case mapping(SettingsMapping)
  /// A list.
  case sequence(SettingsSequence)

  /// Where it begins.
  public var place: SettingsPlace {
    switch self {
    case .scalar(let scalar): scalar.place
    case .mapping(let mapping): mapping.place
    case .sequence(let sequence): sequence.place
    }
  }

  /// What it is, for a message.
  var shown: String {
    switch self {
    case .scalar(let scalar): scalar.hasValue ? Excerpt.quoted(scalar.text) : "no value"
    case .mapping: "a mapping"
    case .sequence: "a list"
    }
  }
}

/// A value that is a text, of no type: `no`, `0644` and `~` are the characters that they consist of.
public struct SettingsScalar: Equatable, Sendable {
  /// The text; empty if there is no value.
  public let text: String
  /// Whether there is a value, be it an empty text in quotation marks.
  public let hasValue: Bool
  /// Where it begins: with its quotation mark, if it has one; behind the key if there is no value.
  public let place: SettingsPlace

  /// A text; or the lack of one, if it is nil.
  public init(_ text: String?, at place: SettingsPlace) {
    self.text = text ?? ""
    hasValue = text != nil
    self.place = place
  }
}

/// Keys with their values, in the order in which they are written; no key is there twice.
public struct SettingsMapping: Equatable, Sendable {
  /// A key with its value.
  public struct Entry: Equatable, Sendable {
    /// The key.
    public let key: String
    /// Where the key begins.
    public let place: SettingsPlace
    /// What it is set to.
    public let value: SettingsNode

    /// A key with its value.
    public init(key: String, at place: SettingsPlace, value: SettingsNode) {
      self.key = key
      self.place = place
      self.value = value
    }
  }

  /// Where it begins.
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

  /// The mistake that a key is when it stands where another one with its name stands already.
  func repeated(_ key: String, at place: SettingsPlace) -> SettingsMistake? {
    guard let first = self[key] else { return nil }
    return SettingsMistake(
      place: place, key: key, found: "a second time",
      expected: "it only once, as in \(first.place.reference)")
  }
}

/// Values in their order.
public struct SettingsSequence: Equatable, Sendable {
  /// Where it begins.
  public let place: SettingsPlace
  /// The values.
  public let items: [SettingsNode]

  /// A list of values.
  public init(_ items: [SettingsNode], at place: SettingsPlace) {
    self.items = items
    self.place = place
  }
}

/// What came of reading a text.
public struct ParsedSettings: Equatable, Sendable {
  /// The settings, without those that can't be used; nil if the text can't be read to its end.
  public let node: SettingsNode?
  /// What is wrong, in the order of places; nothing if all is well.
  public let mistakes: [SettingsMistake]
}
