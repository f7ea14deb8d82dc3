public import Transactions
public import VarnishLog

/// Makes lines of transactions: a compiled format with captures of its own.
public struct LineRenderer: ~Copyable {
  private var composer: LineComposer
  private var captures: Captures

  /// The outcome for a transaction.
  public enum Outcome: Sendable {
    /// A line was written, or as much of it as there was room for.
    case line
    /// The transaction gives no line.
    case noLine
  }

  /// Compiles a format for a log.
  public init(_ format: borrowing LineFormat, tags: TagTable) {
    composer = LineComposer(format, tags: tags)
    captures = Captures(composer.plan)
  }

  /// The records that lines depend on.
  public var wish: PickWish { composer.wish }

  /// Writes the line of a transaction, with its newline.
  public mutating func render<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>, to line: inout LineWriter
  ) -> Outcome {
    captures.forget()
    return composer.render(transaction, &captures, to: &line)
  }
}
