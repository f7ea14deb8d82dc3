/// What terminals understand.
package enum Escape {
  /// Hides the cursor.
  package static let hideCursor = Array("\u{1B}[?25l".utf8)
  /// Shows it.
  package static let showCursor = Array("\u{1B}[?25h".utf8)
  /// Goes to a screen of its own, and empties it.
  static let enterScreen = Array("\u{1B}[?1049h\u{1B}[2J".utf8)
  /// Goes back to what was there before.
  static let leaveScreen = Array("\u{1B}[?1049l".utf8)
  /// Empties the screen.
  static let clear = Array("\u{1B}[2J".utf8)

  /// Clears the row of the cursor and some above it, and everything below.
  package static func erase(rowsAbove: Int) -> [UInt8] {
    let up = rowsAbove > 0 ? "\u{1B}[\(rowsAbove)A" : ""
    return Array("\r\(up)\u{1B}[J".utf8)
  }

  /// Puts a line into a row, counted from 0, and clears what stood behind it.
  static func line(_ text: String, row: Int) -> [UInt8] {
    Array("\u{1B}[\(row + 1);1H\(text)\u{1B}[K".utf8)
  }
}
