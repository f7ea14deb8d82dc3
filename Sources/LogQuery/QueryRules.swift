import VarnishLog

/// The rules of a release by which a query is read and evaluated (`query-language.md` 7).
struct QueryRules: Sendable {
  let version: VarnishVersion
  /// Whether syntax that the release doesn't know is refused.
  let isStrict: Bool
  /// How numbers are read, in queries and in records.
  let numbers: NumberRules

  init(version: VarnishVersion, isStrict: Bool) {
    self.version = version
    self.isStrict = isStrict
    numbers = NumberRules(of: version)
  }

  private func since(_ major: Int, _ minor: Int) -> Bool {
    version >= VarnishVersion(major, minor, 0)
  }

  /// A newline ends a query, `#` begins a comment, several queries are alternatives.
  var hasLines: Bool { !isStrict || since(6, 4) }
  /// `vxid` is a word of the language.
  var hasVXID: Bool { !isStrict || since(4, 1) }
  /// A tag's `*` may stand anywhere.
  var hasInnerGlobs: Bool { !isStrict || since(6, 0) }
  /// A field of a record may stand in quotation marks.
  var hasQuotedFields: Bool { since(6, 4) }
  /// The place of an unterminated string is its last byte instead of the one behind it.
  var blamesLastByte: Bool { !since(5, 2) }
}
