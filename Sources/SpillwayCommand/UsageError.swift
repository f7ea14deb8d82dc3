/// A command line that can't be carried out; the text is for the user.
struct UsageError: Error, CustomStringConvertible {
  /// The same mistake when it is made in settings: in `--output`, or in a file.
  struct InSettings {
    /// The setting to blame.
    let key: String
    /// The error, in terms of settings.
    let found: String
    /// What to write instead; empty if `found` says it all.
    let hint: String
    /// Whether an option outside of the settings may be at fault instead of the setting.
    var isAtOption: Bool { key != "standard-output" && key != "file" }

    init(_ key: String, _ found: String, hint: String = "") {
      self.key = key
      self.found = found
      self.hint = hint
    }
  }

  /// The message; where a predecessor has a message for the mistake, it is the predecessor's.
  let words: String
  /// What the mistake is about, which predecessors' messages don't name.
  let subject: String?
  /// The same mistake in terms of settings; nil if it can't be made in settings.
  let inSettings: InSettings?

  init(_ words: String, about subject: String? = nil, inSettings: InSettings? = nil) {
    self.words = words
    self.subject = subject
    self.inSettings = inSettings
  }

  /// An argument that must be text but isn't UTF-8.
  init(strayBytesIn argument: String) {
    self.init("not UTF-8: \(argument.shownAsArgument)")
  }

  var description: String { subject.map { "\(words): \($0)" } ?? words }

  /// The same mistake, reported for a setting as it is reported for an option.
  func of(_ key: String) -> UsageError {
    UsageError(words, about: subject, inSettings: inSettings ?? InSettings(key, description))
  }
}
