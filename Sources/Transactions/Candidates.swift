import VarnishLog

/// Which transactions will be needed, as far as their `Begin` tells (`grouping.md` 8).
///
/// It has five bytes, which calls pass in a register, whereas all options would be copied.
struct Candidates {
  private let grouping: Grouping
  private let rule: CandidateRule
  private let wantsClient: Bool, wantsBackend: Bool, wantsESI: Bool

  init(_ options: GroupingOptions) {
    grouping = options.grouping
    rule = options.candidateRule
    wantsClient = options.wantsClient
    wantsBackend = options.wantsBackend
    wantsESI = options.wantsESI
  }

  private var wantsOneSide: Bool { rule != .everything && grouping == .vxid && wantsClient != wantsBackend }

  /// The side whose transactions are of no use, independent of their content; nil if there is none.
  var unwantedSide: Side? { wantsOneSide ? (wantsClient ? .backend : .client) : nil }

  /// Whether the side that a `Begin` is marked with is enough to know that a transaction won't be needed.
  @inline(__always)
  func areRuledOut(bySide side: Side) -> Bool { wantsOneSide && side != (wantsClient ? .client : .backend) }

  /// Whether no session will be needed.
  var excludesSessions: Bool {
    rule != .everything && (grouping == .request || (grouping == .vxid && rule == .bySide))
  }

  /// Whether a transaction with this `Begin` will be needed.
  @inline(__always)
  func includes(_ begin: Bracket?, side: Side) -> Bool {
    guard rule != .everything, grouping != .session else { return true }
    guard let begin, begin.type != .unknown else { return false }
    if grouping == .request { return begin.type != .session }
    if areRuledOut(bySide: side) { return false }
    switch rule {
    case .bySide: return begin.type != .session && (wantsESI || begin.reason != .esi)
    default: return wantsESI || begin.level == 0
    }
  }
}
