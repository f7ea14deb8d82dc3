package import VarnishLog

extension Tag {
  /// The tags of what a server of 2.0 to 3.0 logs about itself rather than about a connection.
  package static let unconnected: Set<Tag> = [
    .cli, .backendHealth, .expBan, .expKill, .expPick, .workThread,
  ]
}
