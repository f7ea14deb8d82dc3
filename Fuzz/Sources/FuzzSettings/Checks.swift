import FuzzSupport
import Settings

/// The requirements for the mistakes found in any text.
enum MistakeCheck {
  static func examine(_ parsed: ParsedSettings, _ examinePlace: (SettingsPlace) -> Void) {
    require(parsed.node != nil || !parsed.mistakes.isEmpty, "no settings, and no reason")
    var last = (0, 0)
    for mistake in parsed.mistakes {
      examinePlace(mistake.place)
      require((mistake.place.line, mistake.place.column) >= last, "mistakes out of order")
      last = (mistake.place.line, mistake.place.column)
      examine(mistake)
    }
  }

  static func examine(_ mistake: SettingsMistake) {
    let text = mistake.description
    require(!mistake.found.isEmpty, "a mistake without a text")
    require(
      text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) },
      "a message that isn't one visible line: \(text.debugDescription)")
    require(text.utf8.count < 2000, "a message without an end")
  }
}

/// The requirements for the settings read from any text.
enum ReaderCheck {
  static func examine(_ parsed: ParsedSettings) {
    guard case .mapping(let mapping)? = parsed.node else {
      if parsed.node != nil {
        require(SettingsReader(parsed).finish().count > parsed.mistakes.count, "no mapping")
      }
      return
    }
    var reader = SettingsReader(parsed)
    var mismatchCount = 0
    for entry in mapping.entries where reader.take(entry.key) == nil { mismatchCount += 1 }
    require(
      reader.finish().count == parsed.mistakes.count + mismatchCount, "a mistake in what was asked for")
    let unknown = SettingsReader(parsed).finish()
    require(
      unknown.count == parsed.mistakes.count + mapping.entries.count,
      "something is known that wasn't asked for")
    unknown.forEach(MistakeCheck.examine)
  }
}
