package import VarnishLog

extension Tag {
  /// What a server of 2.0 to 3.0 says of itself, on no connection's behalf.
  package static let unconnected: Set<Tag> = [
    .cli, .backendHealth, .expBan, .expKill, .expPick, .workThread,
  ]
}
