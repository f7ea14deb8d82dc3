import Platform
import Spool

/// Makes sinks for the kinds of consumers that there are.
extension LinkSink {
  /// A shell command, which is run again when it ends.
  /// - Parameters:
  ///   - warn: Called, on the output's thread, with one line about what has become of a consumer.
  public static func exec(
    _ command: String, _ options: LinkOptions, warn: @escaping @Sendable (String) -> Void
  ) -> LinkSink {
    LinkSink(ChildLink(command: command, system: .real), options, warn: warn)
  }

  /// A connection, made again when it is lost.
  /// - Parameters:
  ///   - warn: Called, on the output's thread, with one line about what has become of a consumer.
  public static func socket(
    _ address: SocketAddress, _ options: LinkOptions, warn: @escaping @Sendable (String) -> Void
  ) -> LinkSink {
    LinkSink(SocketLink(address: address, framing: options.framing, system: .real), options, warn: warn)
  }

  /// A named pipe, for one reader after the other.
  /// - Parameters:
  ///   - warn: Called, on the output's thread, with one line about what has become of a consumer.
  /// - Throws: `SystemError` if the pipe may not be written to.
  static func fifo(
    _ path: String, _ options: LinkOptions, system: SystemCalls, warn: @escaping @Sendable (String) -> Void
  ) throws(SystemError) -> LinkSink {
    do {
      try system.checkWritable(path)
    } catch {
      throw SystemError(operation: "open", path: path, errno: error)
    }
    return LinkSink(FIFOLink(path: path, system: system), options, warn: warn)
  }
}
