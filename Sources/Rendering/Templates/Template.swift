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

  /// The largest size of a template file.
  public static let byteCountMax = 1 << 20

  /// The template's name.
  public let name: String
  /// The template's origin.
  public let origin: Origin
  /// The file's bytes.
  public let source: [UInt8]
  let content: TemplateContent

  /// Reads a template file.
  ///
  /// - Parameters:
  ///   - source: the file's bytes.
  ///   - name: the template's name.
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

  /// The template's purpose, in one line; empty if the file doesn't tell.
  public var summary: String { content.summary }

  /// Which transactions it is made for.
  public var side: Side { content.side }

  /// The lines that every output file begins with, without their line ends.
  public var headerLines: [[UInt8]] { content.headerLines }

  /// How many examples the file has.
  public var exampleCount: Int { content.examples.count }

  /// The format by the rules of a release.
  ///
  /// - Throws: `FormatError` if that release doesn't support a part of it.
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

  /// The format's fault by the rules of any release, as some tags and words exist only in some releases; nil
  /// if none.
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
  /// The name for messages of a template of this origin.
  func place(of name: String) -> String {
    switch self {
    case .builtIn: "built-in template \(name)"
    case .file(let path): path
    }
  }
}

/// Templates with the same name, origin and text are equal.
extension Template: Equatable {
  /// Whether two templates have the same name, place and text.
  public static func == (one: Self, other: Self) -> Bool {
    one.name == other.name && one.origin == other.origin && one.source == other.source
  }
}
