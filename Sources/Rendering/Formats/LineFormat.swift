/// A parsed format, for any log.
public struct LineFormat: Sendable {
  let items: [FormatItem]
  /// What the text around each piece requires of it.
  let placements: [ValuePlacement]
  let rules: NCSARules
  let style: LineStyle
  /// Whether records of tags that may hold control characters are used.
  let takesAllTags: Bool

  /// Reads a format as `-F` takes it.
  ///
  /// - Parameters:
  ///   - format: the format's bytes; nil for the default.
  ///   - rules: which release's rules.
  ///   - isJSON: whether `-j` is given.
  ///   - keepsBytes: whether values are put into JSON as released versions do, even if the result isn't valid
  ///     JSON. With strict rules they always are.
  /// - Throws: `FormatError` if the format can't be used.
  public init(
    _ format: [UInt8]?, rules: NCSARules, isJSON: Bool, keepsBytes: Bool = false
  ) throws(FormatError) {
    let items = try FormatParser.parse(
      format ?? FormatParser.defaultFormat, rules: rules, isJSON: isJSON)
    if isJSON, !keepsBytes, !rules.isStrict {
      let values = JSONValues(of: items)
      (self.items, placements) = (values.items, values.placements)
    } else {
      self.items = items
      placements = Array(repeating: .text, count: items.count)
    }
    self.rules = rules
    style = LineStyle(rules, isJSON: isJSON)
    takesAllTags = isJSON
  }

  /// A template's format.
  ///
  /// Records of tags that may hold control characters are not used, as with `-F`.
  init(_ structure: TemplateStructure, rules: NCSARules, style: LineStyle) {
    items = structure.items
    placements = structure.placements
    self.rules = rules
    self.style = style
    takesAllTags = false
  }
}
