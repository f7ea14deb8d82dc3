/// A command line that can't be carried out; the text is for the user.
struct UsageError: Error, CustomStringConvertible {
  /// The same mistake where it is made in settings: in `--output`, or in a file.
  struct InSettings {
    /// The setting to blame.
    let key: String
    /// What is wrong with it, by the names that settings have.
    let found: String
    /// What to write instead; empty if `found` says it all.
    let hint: String
    /// Whether an option outside is to blame, if it isn't the setting.
    var isAtOption: Bool { key != "standard-output" && key != "file" }

    init(_ key: String, _ found: String, hint: String = "") {
      self.key = key
      self.found = found
      self.hint = hint
    }
  }

  /// The words; where a predecessor says something at all, they are its.
  let words: String
  /// What it is about, of which predecessors say nothing.
  let subject: String?
  /// How it is told of settings; nil if it can't be made there.
  let inSettings: InSettings?

  init(_ words: String, about subject: String? = nil, inSettings: InSettings? = nil) {
    self.words = words
    self.subject = subject
    self.inSettings = inSettings
  }

  /// An argument that must be text and isn't.
  init(strayBytesIn argument: String) {
    self.init("not UTF-8: \(argument.shownAsArgument)")
  }

  var description: String { subject.map { "\(words): \($0)" } ?? words }

  /// The same mistake, told of a setting as it is told of an option.
  func of(_ key: String) -> UsageError {
    UsageError(words, about: subject, inSettings: inSettings ?? InSettings(key, description))
  }
}
