/// Where a run's configuration comes from, so that it can be read again while the run goes on.
package struct ConfigurationSource: Sendable {
  /// The result of reading the configuration.
  package enum Answer: Sendable {
    /// It has no mistakes.
    case configuration(Configuration)
    /// It has mistakes, described in lines that say where they are.
    case mistakes([String])
  }

  /// The source's name in messages.
  package let name: String
  /// The directories and files that are read for it, which the sandbox must leave readable.
  package let readable: [String]
  /// Reads the configuration; called on a thread of its own.
  package let read: @Sendable () -> Answer

  /// A source that `read` reads.
  package init(name: String, readable: [String], read: @escaping @Sendable () -> Answer) {
    self.name = name
    self.readable = readable
    self.read = read
  }
}
