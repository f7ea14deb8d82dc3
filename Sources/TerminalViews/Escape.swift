/// Control sequences for terminals.
package enum Escape {
  /// Hides the cursor.
  package static let hideCursor = Array("\u{1B}[?25l".utf8)
  /// Shows the cursor.
  package static let showCursor = Array("\u{1B}[?25h".utf8)
  /// Switches to the alternate screen, and clears it.
  static let enterScreen = Array("\u{1B}[?1049h\u{1B}[2J".utf8)
  /// Switches back to the normal screen.
  static let leaveScreen = Array("\u{1B}[?1049l".utf8)
  /// Clears the screen.
  static let clear = Array("\u{1B}[2J".utf8)

  /// Clears the cursor's row, a number of rows above it, and everything below.
  package static func erase(rowsAbove: Int) -> [UInt8] {
    let up = rowsAbove > 0 ? "\u{1B}[\(rowsAbove)A" : ""
    return Array("\r\(up)\u{1B}[J".utf8)
  }

  /// Writes a line to a row, counted from 0, and clears the rest of the row.
  static func line(_ text: String, row: Int) -> [UInt8] {
    Array("\u{1B}[\(row + 1);1H\(text)\u{1B}[K".utf8)
  }
}
