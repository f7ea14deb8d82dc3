import Glibc

/// How a file output begins.
extension FileSink {
  /// Opens what a path leads to: a file of its own, or a stream when it is a pipe or a device.
  /// - Parameters:
  ///   - warn: Told, in one line, what is odd but does not stop the output; called on any thread.
  /// - Throws: `SinkError` when it cannot be opened for writing.
  public static func open(
    _ options: FileOptions, at now: Moment = .now(),
    warn: @escaping @Sendable (String) -> Void
  ) throws(SinkError) -> any Sink {
    let system = SystemCalls.real
    guard let status = system.status(ofPath: options.path), !status.isRegular else {
      return try FileSink(options, at: now, system: system, warn: warn)
    }
    return try openStream(options, status, system, warn)
  }

  /// Refuses what could never work.
  func checkOptions() throws(SinkError) {
    if options.prunes, !naming.isRecognisable {
      throw SinkError(
        target: options.path, operation: "keep",
        refusal: "finished files cannot be told from others by this name")
    }
    if options.link == options.path {
      throw SinkError(
        target: options.path, operation: "symlink", refusal: "--symlink must not be the file itself")
    }
    try checkLink()
  }

  private static func openStream(
    _ options: FileOptions, _ status: stat, _ system: SystemCalls,
    _ warn: @escaping @Sendable (String) -> Void
  ) throws(SinkError) -> any Sink {
    let path = options.path
    if status.isPipe {
      // Opened when somebody reads it, whoever that is and whenever.
      var links = LinkOptions()
      links.onRestart = options.onRestart
      links.header = options.header
      links.binary = options.binary
      return try LinkSink.fifo(path, links, system: system, warn: warn)
    }
    let descriptor: Int32
    do {
      descriptor = try system.open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY)
    } catch {
      throw SinkError(target: path, operation: "open", errno: error)
    }
    return try StreamSink(
      descriptor: descriptor, name: path, header: options.header, binary: options.binary,
      ownsDescriptor: true, system: system)
  }
}
