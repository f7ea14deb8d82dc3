/// The selected line of a list, and the first line that is shown.
///
/// The selection stays with the selected line as long as the line exists, however the list around it changes.
package struct ListSelection {
  /// The index of the selected line.
  package private(set) var index = 0
  /// The index of the first line shown.
  package private(set) var first = 0
  private var chosen: String?
  private var count = 0
  private var room = 1

  /// Selects the first line of a list that isn't known yet.
  package init() {}

  /// Adapts the selection to a list and to the number of rows for it; nil keeps that number.
  package mutating func fit(_ names: [String], room: Int? = nil) {
    if let chosen, !(names.indices.contains(index) && names[index] == chosen) {
      index = names.firstIndex(of: chosen) ?? index
    }
    (count, self.room) = (names.count, room ?? self.room)
    move(to: index)
    chosen = names.indices.contains(index) ? names[index] : nil
  }

  /// Takes a key, and returns whether it is one that moves the selection.
  package mutating func take(_ key: Key) -> Bool {
    switch key {
    case .up, .character("k"): move(to: index - 1)
    case .down, .character("j"): move(to: index + 1)
    case .pageUp, .character("b"), .control("b"): move(to: index - room)
    case .pageDown, .character(" "), .control("f"): move(to: index + room)
    case .home, .character("g"): move(to: 0)
    case .end, .character("G"): move(to: count - 1)
    default: return false
    }
    chosen = nil
    return true
  }

  private mutating func move(to target: Int) {
    index = max(0, min(target, count - 1))
    first = max(0, min(first, count - room))
    if index < first { first = index }
    if index >= first + room { first = index - room + 1 }
  }
}
