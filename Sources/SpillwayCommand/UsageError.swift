/// A command line that can't be carried out; the text is for the user.
struct UsageError: Error, CustomStringConvertible {
  /// The words; where a predecessor says something at all, they are its.
  let words: String
  /// What it is about, of which predecessors say nothing.
  let subject: String?

  init(_ words: String, about subject: String? = nil) {
    self.words = words
    self.subject = subject
  }

  /// An argument that must be text and isn't.
  init(strayBytesIn argument: String) {
    self.init("not UTF-8: \(argument.shownAsArgument)")
  }

  var description: String { subject.map { "\(words): \($0)" } ?? words }
}
