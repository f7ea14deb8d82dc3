public import Transactions
public import VarnishLog

/// The rules of a release by which a format is read and rendered; they differ from release to release
/// (`ncsa-format.md` 2 to 6).
public struct NCSARules: Sendable {
  /// The release.
  public let version: VarnishVersion
  /// Whether everything that the release refuses is refused.
  ///
  /// Otherwise all that any release accepts is accepted, and `-j` gives valid JSON for any log.
  public let isStrict: Bool

  /// The rules of a release.
  public init(_ version: VarnishVersion, isStrict: Bool) {
    self.version = version
    self.isStrict = isStrict
  }

  /// The default rules for a log, by its tag numbering.
  public static func natural(for numbering: TagNumbering) -> NCSARules {
    switch numbering {
    case .v20: NCSARules(VarnishVersion(2, 0), isStrict: false)
    case .v21: NCSARules(VarnishVersion(2, 1), isStrict: false)
    case .v30: NCSARules(VarnishVersion(3, 0), isStrict: false)
    case .v40: NCSARules(VarnishVersion(4, 0), isStrict: false)
    case .v41: NCSARules(VarnishVersion(7, 1), isStrict: false)
    case .v73: NCSARules(VarnishVersion(8, 0), isStrict: false)
    case .v90: NCSARules(VarnishVersion(9, 0), isStrict: false)
    }
  }

  /// Whether the release is this one or a later one.
  package func since(_ major: Int, _ minor: Int, _ patch: Int = 0) -> Bool {
    version >= VarnishVersion(major, minor, patch)
  }

  // MARK: Reading a format

  /// Whether a feature may be used: either the release has it or the rules aren't strict.
  func has(since major: Int, _ minor: Int, _ patch: Int = 0) -> Bool {
    !isStrict || since(major, minor, patch)
  }

  /// `%{s}T` and similar ones.
  var hasDurationUnits: Bool { !isStrict || since(6, 6) || (version.isLongTerm60 && since(6, 0, 12)) }
  /// `%{sec}t` and similar ones; before, they are text for strftime.
  var hasTimeUnits: Bool { since(7, 0) }
  /// Braces inside braces are counted.
  var bracesNest: Bool { since(7, 0) }
  /// A backslash at the very end is kept.
  var keepsFinalBackslash: Bool { since(6, 0) }
  /// `\x` gives x; in 3.0 it gives nothing.
  var keepsEscapedByte: Bool { since(4, 0) }
  /// `%{X:first}i`.
  var hasMatchRules: Bool { since(8, 0) }
  /// `VSL:tag` refuses tags with a flag, unless the output is JSON.
  var refusesFlaggedTags: Bool { since(6, 0) }
  /// The largest field number of `VSL:tag[n]`; before 5.2 there is no limit.
  var fieldNumberMax: Int { since(5, 2) ? 255 : Int(Int32.max) }

  // MARK: Which record counts

  /// Records of tags with a flag are passed over, unless the output is JSON.
  var skipsFlaggedTags: Bool { since(6, 0) }
  /// Request and response tags of both sides count in every transaction.
  var mixesSides: Bool { since(6, 6) }
  /// What was received from or sent to the peer counts, rather than what VCL made of it.
  var followsPhases: Bool { since(7, 7) }
  /// `HitMiss` and `HitPass` count for the handling.
  var seesHitMiss: Bool { since(7, 7) }
  /// `VCL_call synth`; 4.0 has `error` instead.
  var hasSynth: Bool { since(4, 1) }
  /// A header name also matches a record that differs from it only behind a blank.
  var matchesHeadersLoosely: Bool { !since(4, 1, 1) }
  /// The backend's address is in `BackendOpen`; before, in `BackendStart`.
  ///
  /// Older logs, once converted, have it there as well.
  var hasAddressInBackendOpen: Bool { since(6, 3) || !since(4, 0) }

  // MARK: What is printed

  /// Whether the decoder refuses invalid base64.
  var decodesStrictly: Bool { since(7, 4) }
  /// The text for a missing first-byte time.
  var missingFirstByte: StaticString { since(7, 0) ? "-" : "" }
  /// The text for a missing logged key.
  var missingLogKey: StaticString { since(4, 0) ? "" : "-" }

  /// How values are escaped in plain text.
  var textEscaping: Escaping {
    // Unescaped, a client could forge lines; only strict rules of those releases give such lines.
    if !since(4, 0), isStrict { return .none }
    if !since(6, 2) { return .ncsa(verticalTab: true, formFeed: true) }
    return since(7, 4)
      ? .ncsa(verticalTab: false, formFeed: false) : .ncsa(verticalTab: true, formFeed: false)
  }

  /// How values are escaped for `-j`.
  var jsonEscaping: Escaping {
    if !isStrict { return .json }
    return since(7, 4) ? .jsonBytes(verticalTab: false) : .jsonBytes(verticalTab: true)
  }

  /// Which transactions are ruled out at their beginning; every other transaction gives a line.
  public var candidateRule: CandidateRule {
    if !since(6, 6) { return .everything }
    return since(7, 3) ? .bySideAndLevel : .bySide
  }

  /// Whether an ESI fragment can be asked for with `-E`.
  public var hasESIOption: Bool { !isStrict || since(6, 3) }
  /// Whether `-E` also asks for client transactions.
  public var impliesClientByESI: Bool { since(6, 6) }
}
