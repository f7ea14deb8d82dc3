import VarnishLog

/// A named format with everything that belongs to it: escaping, headers, examples.
///
/// `TemplateParser` tells how the files are written.
public struct Template: Sendable {
  /// Where a template comes from.
  public enum Origin: Equatable, Sendable {
    /// Compiled in.
    case builtIn
    /// A file, by its path.
    case file(String)
  }

  /// Which transactions a template is made for.
  public enum Side: String, CaseIterable, Sendable {
    case client
    case backend
    case both

    /// Whether client transactions are meant.
    public var includesClient: Bool { self != .backend }
    /// Whether backend transactions are meant.
    public var includesBackend: Bool { self != .client }
  }

  /// No template file is longer.
  public static let byteCountMax = 1 << 20

  /// What it is called by.
  public let name: String
  /// Where it comes from.
  public let origin: Origin
  /// The file's bytes.
  public let source: [UInt8]
  let content: TemplateContent

  /// Reads a template file.
  ///
  /// - Parameters:
  ///   - source: the file's bytes.
  ///   - name: what it will be called by.
  ///   - origin: where the bytes come from, for messages.
  /// - Throws: `TemplateError` with the line, if something in it can't be understood.
  public init(
    parsing source: [UInt8], name: String, origin: Origin
  ) throws(TemplateError) {
    self.name = name
    self.origin = origin
    self.source = source
    let place = origin.place(of: name)
    do {
      content = try TemplateParser.parse(source)
    } catch {
      throw TemplateError(place: place, line: error.line, reason: error.reason)
    }
    if let reason = formatFault() {
      throw TemplateError(place: place, line: content.formatLine, reason: reason)
    }
  }

  /// What it is good for, in one line; empty if the file doesn't say.
  public var summary: String { content.summary }

  /// Which transactions it is made for.
  public var side: Side { content.side }

  /// The lines that every output file begins with, without their line ends.
  public var headerLines: [[UInt8]] { content.headerLines }

  /// How many examples the file has.
  public var exampleCount: Int { content.examples.count }

  /// The format as the rules of a release understand it.
  ///
  /// - Throws: `FormatError` if that release has no notion of something in it.
  public func lineFormat(rules: NCSARules) throws(FormatError) -> LineFormat {
    try lineFormat(rules: rules, isUTC: false)
  }

  /// The format, with local times taken as UTC if wanted.
  func lineFormat(rules: NCSARules, isUTC: Bool) throws(FormatError) -> LineFormat {
    do {
      let structure = try structure(rules: rules, isUTC: isUTC)
      return LineFormat(structure, rules: rules, style: style(rules: rules))
    } catch .format(let error) {
      throw error
    } catch {
      throw .syntax(error.description)
    }
  }

  private func structure(
    rules: NCSARules, isUTC: Bool
  ) throws(TemplateError.Reason) -> TemplateStructure {
    var items: [FormatItem]
    do {
      items = try FormatParser.parse(content.format, rules: rules, isJSON: false, isTemplate: true)
    } catch {
      throw .format(error)
    }
    if isUTC {
      items = items.map { item in
        if case .time(let format, _) = item { return .time(format: format, isUTC: true) }
        return item
      }
    }
    return try TemplateStructure(
      items, escaping: content.escaping, isNullMissing: content.missingText == Array("null".utf8))
  }

  /// A format in the notation of access logs is escaped as the release does it.
  private func style(rules: NCSARules) -> LineStyle {
    var escaping = content.escaping
    if case .ncsa = escaping { escaping = rules.textEscaping }
    return LineStyle(
      escaping: escaping, missingText: content.missingText, missingNumber: content.missingNumber)
  }

  /// What is wrong with the format by the rules of every release; some tags and words come and go.
  private func formatFault() -> TemplateError.Reason? {
    var first: TemplateError.Reason?
    for numbering in TagNumbering.allCases.reversed() where !numbering.isOld {
      do {
        _ = try structure(rules: .natural(for: numbering), isUTC: false)
        return nil
      } catch {
        first = first ?? error
      }
    }
    return first
  }
}

extension Template.Origin {
  /// How messages call a template of this origin.
  func place(of name: String) -> String {
    switch self {
    case .builtIn: "built-in template \(name)"
    case .file(let path): path
    }
  }
}

/// What was read from the same place, and is the same to the byte, is the same template.
extension Template: Equatable {
  /// Whether two templates have the same name, place and text.
  public static func == (one: Self, other: Self) -> Bool {
    one.name == other.name && one.origin == other.origin && one.source == other.source
  }
}
