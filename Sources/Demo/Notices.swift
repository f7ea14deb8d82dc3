import Platform

/// What the pipeline has to say while the screen has the terminal.
final class Notices: Sendable {
  private let texts = Guarded<[String]>([])

  func add(_ text: String) { texts.withLock { $0.append(text) } }

  /// What came since the last time.
  func take() -> [String] {
    texts.withLock { texts in
      defer { texts = [] }
      return texts
    }
  }
}
