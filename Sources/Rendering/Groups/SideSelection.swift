import Transactions
import VarnishLog

/// Which transactions of a group are shown, and which of their records, by side (`grouping.md` 8).
public struct SideSelection: Sendable {
  /// Whether client transactions, backend transactions and ESI fragments are selected.
  public let client: Bool, backend: Bool, esi: Bool
  private let ruledByESI: Bool
  /// The sides whose records are shown, a bit for each.
  private let shownSides: UInt8

  /// The selection of `-c`, `-b` and `-E`, by the rules of a release.
  public init(client: Bool, backend: Bool, esi: Bool, rules: NCSARules) {
    let hasESI = rules.version >= VarnishVersion(6, 3, 0)
    self.client = client || (esi && hasESI)
    self.backend = backend
    self.esi = esi
    ruledByESI = hasESI
    func bit(_ side: Side) -> UInt8 { 1 << side.rawValue }
    shownSides =
      switch (self.client, backend) {
      case (false, false): .max
      case (true, false): bit(.client)
      case (false, true): bit(.backend)
      // A record is of one side: selecting both sides gave nothing until that was corrected.
      case (true, true): rules.version >= VarnishVersion(7, 3, 0) ? .max : 0
      }
  }

  /// Whether no side is selected, so that everything is shown.
  public var isOpen: Bool { !client && !backend }

  func includes<Layout>(_ transaction: Transaction<Layout>) -> Bool {
    if isOpen { return true }
    return switch transaction.type {
    case .request: client && (esi || !ruledByESI || transaction.reason != .esi)
    case .backendRequest: backend
    case .session, .unknown: false
    }
  }

  @inline(__always)
  func includes(_ side: Side) -> Bool { shownSides & 1 << side.rawValue != 0 }
}
