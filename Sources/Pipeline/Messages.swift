import Platform

/// Messages for the people who run the program.
///
/// They go to standard error with the program's name in front, to the system's log once the process is in the
/// background, or to the program that embeds the run.
struct Messages: Sendable {
  let programName: String
  let listener: (@Sendable (String) -> Void)?

  /// Writes a text as one line, even if a name in it has line ends.
  func say(_ text: String) {
    let text = VisibleText.oneLine(text)
    if let listener { listener(text) } else { MessageQueue.shared.say(text, as: programName) }
  }

  /// Writes a line that programs read, without the program's name in front.
  func sayBare(_ text: String) {
    if let listener { listener(text) } else { MessageQueue.shared.say(VisibleText.oneLine(text), as: nil) }
  }
}
