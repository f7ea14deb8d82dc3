/// A line of a view: pieces of text, each in a style.
package struct StyledLine: Equatable, Sendable {
  /// How a piece of text is shown.
  package enum Style: String, Sendable {
    case plain = ""
    case faint = "2"
    case strong = "1"
    /// In the colours of the ground and the text, one for the other; that isn't a colour of its own.
    case reverse = "7"
    case good = "32"
    case warning = "33"
    case bad = "31"

    var isColour: Bool { self == .good || self == .warning || self == .bad }
  }

  /// Some text in one style.
  package struct Piece: Equatable, Sendable {
    /// What is shown.
    package let text: String
    /// How.
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

  /// How many columns it takes.
  package var width: Int { pieces.reduce(0) { $0 + ShownWidth.of($1.text) } }

  /// The text alone.
  package var text: String { pieces.map(\.text).joined() }

  /// What a terminal is sent for as much of the line as there is room for.
  ///
  /// - Parameters:
  ///   - hasColours: whether colours are welcome.
  ///   - hasEmphasis: whether anything but text is.
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
