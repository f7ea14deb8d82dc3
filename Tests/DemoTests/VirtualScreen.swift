/// The screen of a terminal after an output, including the rows that have scrolled out at the top.
struct VirtualScreen {
  private(set) var rows: [[Character]] = [[]]
  private(set) var hidesCursor = false
  private(set) var hasColours = false
  private var row = 0, column = 0
  private let columns: Int

  init(_ text: String, columns: Int) {
    self.columns = columns
    var rest = Substring(text).unicodeScalars
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\u{1B}": obey(&rest)
      case "\r": column = 0
      case "\n": moveDown()
      default: put(Character(scalar))
      }
    }
  }

  /// The rows that aren't empty.
  var lines: [String] { rows.map { String($0) }.filter { !$0.isEmpty } }

  private mutating func moveDown() {
    row += 1
    if row == rows.count { rows.append([]) }
  }

  private mutating func put(_ character: Character) {
    if column == columns {
      moveDown()
      column = 0
    }
    while rows[row].count <= column { rows[row].append(" ") }
    rows[row][column] = character
    column += 1
  }

  private mutating func obey(_ rest: inout Substring.UnicodeScalarView) {
    guard rest.popFirst() == "[" else { return }
    var number = ""
    while let scalar = rest.popFirst() {
      switch scalar {
      case "0"..."9", "?": number.unicodeScalars.append(scalar)
      case "A": row = max(0, row - (Int(number) ?? 1))
      case "J":
        rows.removeSubrange((row + 1)...)
        rows[row].removeSubrange(min(column, rows[row].count)...)
      case "l", "h": if number == "?25" { hidesCursor = scalar == "l" }
      case "m": hasColours = true
      default: break
      }
      if !("0"..."9").contains(scalar), scalar != "?" { return }
    }
  }
}
