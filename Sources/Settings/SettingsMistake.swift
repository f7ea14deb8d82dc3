import Platform

/// What is wrong with settings: where, what was found there, and what would have been right.
public struct SettingsMistake: Error, Equatable, Sendable, CustomStringConvertible {
  /// Where it is.
  public let place: SettingsPlace
  /// The setting that it is about; nil if it is about none.
  public let key: String?
  /// What stands there.
  public let found: String
  /// What to write instead, as in `expected a time` or `did you mean gzip?`; empty if `found` says it all.
  public let hint: String

  /// Describes a mistake.
  public init(place: SettingsPlace, key: String? = nil, found: String, hint: String) {
    self.place = place
    self.key = key
    self.found = found
    self.hint = hint
  }

  /// Describes a mistake by what would have been right.
  public init(place: SettingsPlace, key: String? = nil, found: String, expected: String) {
    self.init(place: place, key: key, found: found, hint: "expected \(expected)")
  }

  /// One line; what can't be seen is escaped.
  public var description: String {
    let subject = key.map { ": \(Excerpt.of($0))" } ?? ""
    let remedy = hint.isEmpty ? "" : ": \(hint)"
    return VisibleText.oneLine("\(place)\(subject): \(found)\(remedy)")
  }
}

extension [SettingsMistake] {
  /// The mistakes of one text in the order of their places; those of one place in the order in which they were found.
  public func inOrder() -> [SettingsMistake] {
    enumerated().sorted { one, other in
      if one.element.place.precedes(other.element.place) { return true }
      return !other.element.place.precedes(one.element.place) && one.offset < other.offset
    }.map(\.element)
  }
}

/// What messages show of texts that may be long.
enum Excerpt {
  private static let countMax = 80

  /// A text's beginning; all of it if it isn't long.
  static func of(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let end = scalars.index(scalars.startIndex, offsetBy: countMax, limitedBy: scalars.endIndex),
      end < scalars.endIndex
    else { return text }
    return String(scalars[..<end]) + "…"
  }

  /// The same between quotation marks.
  static func quoted(_ text: String) -> String { "\"\(of(text))\"" }
}
