import Platform

/// The pipeline's messages, kept while the screen owns the terminal.
final class Notices: Sendable {
  private let texts = Guarded<[String]>([])

  func add(_ text: String) { texts.withLock { $0.append(text) } }

  /// Takes the messages since the last call.
  func take() -> [String] {
    texts.withLock { texts in
      defer { texts = [] }
      return texts
    }
  }
}
