package import VarnishLog

extension VarnishVersion {
  /// The releases whose rules are tried, each of which differs from the one before.
  package static let tried = [
    (2, 1), (3, 0), (4, 0), (4, 1), (5, 2), (6, 0), (6, 3), (6, 6), (7, 0), (7, 1), (7, 3), (7, 4), (7, 7),
    (8, 0), (9, 0),
  ].map { VarnishVersion($0.0, $0.1) }

  /// Chooses a release by a byte.
  package init(choice: UInt8) { self = Self.tried[Int(choice) % Self.tried.count] }
}

extension TagNumbering {
  /// Whether its logs have two words in front of each payload, not three.
  package var isNarrow: Bool {
    switch self {
    case .v40, .v41: true
    case .v73, .v90, .v20, .v21, .v30: false
    }
  }
}
