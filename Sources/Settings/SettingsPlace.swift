/// The place of a setting: in a line of a file, or in the text of an option.
public struct SettingsPlace: Hashable, Sendable, CustomStringConvertible {
  /// The text that the place is in.
  public enum Source: Hashable, Sendable {
    /// A file, by its path.
    case file(String)
    /// An option's text, by the option's name.
    case option(String)
  }

  /// The file or the option.
  public let source: Source
  /// The line, from 1; always 1 in an option's text.
  public let line: Int
  /// The column, from 1, in Unicode scalars.
  public let column: Int

  /// A place in a file or in an option's text.
  public init(source: Source, line: Int = 1, column: Int) {
    self.source = source
    self.line = line
    self.column = column
  }

  /// `FILE:LINE:COLUMN`, or `--output, column 12`.
  public var description: String {
    switch source {
    case .file(let path): "\(path):\(line):\(column)"
    case .option(let name): "\(name), column \(column)"
    }
  }

  /// Whether it comes before another place of the same text.
  func precedes(_ other: SettingsPlace) -> Bool { (line, column) < (other.line, other.column) }

  /// How a mistake elsewhere in the same text refers to this place.
  var reference: String {
    switch source {
    case .file: "line \(line)"
    case .option: "column \(column)"
    }
  }
}
