import Rendering
import Transactions

/// Which transactions of a group give a line (`ncsa-format.md` 3).
struct Selection: Sendable {
  let client: Bool, backend: Bool, esi: Bool
  /// Whether every transaction counts that the grouper let through at its beginning.
  let isPermissive: Bool

  init(_ output: OutputConfiguration, rules: NCSARules) {
    let impliesClient = output.esi && rules.impliesClientByESI
    client = output.client || !output.backend || impliesClient
    backend = output.backend
    esi = output.esi && rules.hasESIOption
    isPermissive = rules.candidateRule != .everything
  }

  func includes<Layout>(_ transaction: Transaction<Layout>) -> Bool {
    switch transaction.type {
    case .unknown, .session: false
    case .request: isPermissive || (client && (esi || transaction.reason != .esi))
    case .backendRequest: isPermissive || backend
    }
  }
}
