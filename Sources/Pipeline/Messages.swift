import Platform

/// Lines for the people who run the program: on standard error with the program's name in front, or in the system's
/// log once it has gone into the background; or for a program that embeds the run to show.
struct Messages: Sendable {
  let programName: String
  let listener: (@Sendable (String) -> Void)?

  /// Says a text as one line, even if a name in it has line ends.
  func say(_ text: String) {
    let text = VisibleText.oneLine(text)
    if let listener { listener(text) } else { MessageQueue.shared.say(text, as: programName) }
  }

  /// Says one line that programs read: without a name in front.
  func sayBare(_ text: String) {
    if let listener { listener(text) } else { MessageQueue.shared.say(VisibleText.oneLine(text), as: nil) }
  }
}
