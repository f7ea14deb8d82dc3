package import Rendering
package import Transactions
package import VarnishLog

/// Renders lines into rooms of all sizes.
package enum LineRoom {
  /// The maximum length of a line.
  private static let byteCountMax = 64 << 20

  /// Renders a transaction's line with the room that lines usually get, then with more; nil if it has none.
  ///
  /// - Parameter again: whether to render it again, with just enough room, and with a byte too little.
  package static func line<Layout: RecordLayout>(
    of transaction: Transaction<Layout>, _ renderer: inout LineRenderer, again: Bool
  ) -> [UInt8]? {
    var byteCount = 1024
    while true {
      require(byteCount <= byteCountMax, "a line without end")
      guard let (line, overflowed) = line(of: transaction, &renderer, byteCount) else { return nil }
      if overflowed {
        byteCount *= 2
        continue
      }
      require(line.last == UInt8(ascii: "\n"), "a line without its end")
      if again {
        for missing in 0...1 {
          guard let second = Self.line(of: transaction, &renderer, line.count - missing) else {
            violated("a line only the first time")
          }
          require(second.overflowed == (missing > 0), "room was judged wrongly")
          require(missing > 0 || second.line == line, "another line the second time")
        }
      }
      return line
    }
  }

  private static func line<Layout: RecordLayout>(
    of transaction: Transaction<Layout>, _ renderer: inout LineRenderer, _ byteCount: Int
  ) -> (line: [UInt8], overflowed: Bool)? {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 1)
    defer { memory.deallocate() }
    var line = LineWriter(memory)
    guard renderer.render(transaction, to: &line) == .line else { return nil }
    return (Array(line.written), line.overflowed)
  }

  /// The lines of all specimens, nil for those that have none.
  package static func lines<Layout: RecordLayout>(
    of format: LineFormat, in log: SpecimenLog<Layout>, again: Bool = false
  ) -> [[UInt8]?] {
    var renderer = LineRenderer(format, tags: log.tags)
    var lines: [[UInt8]?] = []
    log.forEachGroup(.vxid, keeping: renderer.wish) { group in
      for index in 0..<group.count { lines.append(line(of: group[index], &renderer, again: again)) }
    }
    return lines
  }

  /// The lines of all specimens in the log of a numbering.
  package static func lines(
    of format: LineFormat, in numbering: TagNumbering, again: Bool = false
  ) -> [[UInt8]?] {
    let logs = SpecimenLogs.shared
    return switch numbering {
    case .v40: lines(of: format, in: logs.v40, again: again)
    case .v41: lines(of: format, in: logs.v41, again: again)
    // Transactions made from the oldest logs have the tags of 7.3.
    case .v73, .v20, .v21, .v30: lines(of: format, in: logs.v73, again: again)
    case .v90: lines(of: format, in: logs.v90, again: again)
    }
  }
}
