/// Where a run's configuration comes from, so that it can be read again while the run goes on.
package struct ConfigurationSource: Sendable {
  /// What reading it has come to.
  package enum Answer: Sendable {
    /// There is no mistake in it.
    case configuration(Configuration)
    /// What is wrong with it: lines that say where.
    case mistakes([String])
  }

  /// What messages call it.
  package let name: String
  /// What is read for it, directories or files: a process that limits itself leaves that to itself.
  package let readable: [String]
  /// Reads it; called on a thread of its own.
  package let read: @Sendable () -> Answer

  /// A source that is read so.
  package init(name: String, readable: [String], read: @escaping @Sendable () -> Answer) {
    self.name = name
    self.readable = readable
    self.read = read
  }
}
