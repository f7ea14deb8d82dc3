/// A line of a view: pieces of text, each in a style.
package struct StyledLine: Equatable, Sendable {
  /// How a piece of text is shown.
  package enum Style: String, Sendable {
    case plain = ""
    case faint = "2"
    case strong = "1"
    /// The colours of text and background exchanged, which doesn't count as a colour.
    case reverse = "7"
    case good = "32"
    case warning = "33"
    case bad = "31"

    var isColour: Bool { self == .good || self == .warning || self == .bad }
  }

  /// Some text in one style.
  package struct Piece: Equatable, Sendable {
    /// The piece's text.
    package let text: String
    /// The piece's style.
    package let style: Style

    /// Some text in a style.
    package init(_ text: String, _ style: Style = .plain) {
      self.text = text
      self.style = style
    }
  }

  private var pieces: [Piece]

  /// A line of pieces.
  package init(_ pieces: [Piece]) { self.pieces = pieces }

  /// A line in one style.
  package init(_ text: String, _ style: Style = .plain) { pieces = [Piece(text, style)] }

  /// The number of columns that the line takes.
  package var width: Int { pieces.reduce(0) { $0 + ShownWidth.of($1.text) } }

  /// The text without styles.
  package var text: String { pieces.map(\.text).joined() }

  /// The text and control sequences for as much of the line as fits into a width.
  ///
  /// - Parameters:
  ///   - hasColours: whether styles that are colours are used.
  ///   - hasEmphasis: whether all other styles are used.
  package func rendered(width: Int, hasColours: Bool, hasEmphasis: Bool = true) -> String {
    var line = ""
    var left = width
    for piece in pieces where left > 0 {
      let text = ShownWidth.prefix(of: piece.text, left)
      left -= ShownWidth.of(text)
      let isStyled = piece.style != .plain && (piece.style.isColour ? hasColours : hasEmphasis)
      line += isStyled ? "\u{1B}[\(piece.style.rawValue)m\(text)\u{1B}[0m" : text
    }
    return line
  }
}
