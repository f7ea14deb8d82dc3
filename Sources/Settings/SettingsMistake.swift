import Platform

/// A mistake in settings: its place, what was found there, and what is expected.
public struct SettingsMistake: Error, Equatable, Sendable, CustomStringConvertible {
  /// The mistake's place.
  public let place: SettingsPlace
  /// The setting with the mistake; nil if it is in no particular setting.
  public let key: String?
  /// What was found at the place.
  public let found: String
  /// What to write instead, as in `expected a time` or `did you mean gzip?`; empty if `found` says it all.
  public let hint: String

  /// Describes a mistake with a hint.
  public init(place: SettingsPlace, key: String? = nil, found: String, hint: String) {
    self.place = place
    self.key = key
    self.found = found
    self.hint = hint
  }

  /// Describes a mistake by what is expected.
  public init(place: SettingsPlace, key: String? = nil, found: String, expected: String) {
    self.init(place: place, key: key, found: found, hint: "expected \(expected)")
  }

  /// The mistake in one line; characters that aren't visible are escaped.
  public var description: String {
    let subject = key.map { ": \(Excerpt.of($0))" } ?? ""
    let remedy = hint.isEmpty ? "" : ": \(hint)"
    return VisibleText.oneLine("\(place)\(subject): \(found)\(remedy)")
  }
}

extension [SettingsMistake] {
  /// The mistakes of one text in the order of their places; at the same place, in the order in which they
  /// were found.
  public func inOrder() -> [SettingsMistake] {
    enumerated().sorted { one, other in
      if one.element.place.precedes(other.element.place) { return true }
      return !other.element.place.precedes(one.element.place) && one.offset < other.offset
    }.map(\.element)
  }
}

/// Shortens texts for messages.
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

  /// A text's beginning between quotation marks.
  static func quoted(_ text: String) -> String { "\"\(of(text))\"" }
}
