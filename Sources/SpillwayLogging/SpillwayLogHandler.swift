import VarnishLog
public import LogWriting
public import Logging

/// A backend of swift-log that writes messages into a log in shared memory.
///
/// ```swift
/// let writer = try LogWriter(directory: "/run/shop/log")
/// LoggingSystem.bootstrap { SpillwayLogHandler(label: $0, writer: writer) }
/// ```
///
/// A message that is logged while its task works for an ``AccessLog/Request`` becomes part of the request's
/// transaction; any other is a transaction of its own, with `Begin` `sess 0 log`, which gives no access-log
/// lines. Its records are:
///
/// | record | payload |
/// | --- | --- |
/// | `Timestamp` | when it was logged; `Log:` within a request, else `Start:` |
/// | `Error`, `Notice` or `Debug` | `label: message`, by the level: from error on, from info on, below |
/// | `VCL_Log` | `level: warning` |
/// | `VCL_Log` | `source: Shop`, the module |
/// | `VCL_Log` | `key: value`, one for each piece of metadata, sorted by keys |
///
/// What is inside a dictionary has a key with a dot, `user.id: 7`; each element of an array has a record, as
/// repeated headers have. An error that is logged gives `error.message` and `error.type`. So `spillway log` can
/// be asked for
///
///     spillway log -n /run/shop/log -q 'VCL_Log:level eq "warning" and VCL_Log:user.id == 7'
///     spillway log -n /run/shop/log -g request -q 'Error:shop.payment ~ "refused"'
///
/// and `%{VCL_Log:user.id}x` shows metadata of a request in its access-log line. Control characters are written
/// as escapes; what is longer than the writer's limit is cut and counted.
///
/// Logging is a copy into memory: it waits for no reader and for no disk.
public struct SpillwayLogHandler: LogHandler {
  /// The least level that is logged.
  public var logLevel: Logger.Level
  /// The metadata that is added to every message.
  public var metadata: Logger.Metadata = [:]
  /// The provider of metadata from the context in which a message is logged.
  public var metadataProvider: Logger.MetadataProvider?
  /// The request whose transaction the messages become part of; if `nil`, it is that of the current task.
  ///
  /// It isn't used if it has ended, or is written to another log.
  public var request: AccessLog.Request?
  private let label: String
  private let writer: LogWriter

  /// Creates a handler.
  ///
  /// - Parameters:
  ///   - label: the text in front of each message.
  ///   - writer: the writer of the messages; other parts of the program may use it, too.
  ///   - request: the request whose transaction the messages become part of; if `nil`, it is that of the task.
  ///   - logLevel: the least level that is logged.
  ///   - metadataProvider: the provider of metadata from the context in which a message is logged.
  public init(
    label: String, writer: LogWriter, request: AccessLog.Request? = nil, logLevel: Logger.Level = .info,
    metadataProvider: Logger.MetadataProvider? = LoggingSystem.metadataProvider
  ) {
    self.label = label
    self.writer = writer
    self.request = request
    self.logLevel = logLevel
    self.metadataProvider = metadataProvider
  }

  /// One piece of the metadata that is added to every message.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Writes a message.
  public func log(event: LogEvent) {
    var all = metadata
    for more in [metadataProvider?.get(), event.metadata] {
      if let more { all.merge(more) { _, new in new } }
    }
    if let error = event.error {
      all["error.message"] = "\(error)"
      all["error.type"] = "\(String(reflecting: type(of: error)))"
    }
    let records = MessageRecords(event, label: label, metadata: all)
    let request = request ?? .current
    if let request, request.writer === writer, request.add(records) { return }
    var transaction = writer.transaction(writer.nextVXID(), .none)
    transaction.add(.begin, "sess 0 log")
    transaction.add(.timestamp, TransactionClock(start: .now).startText)
    records.add(to: &transaction)
    transaction.add(.end, "")
    transaction.commit()
  }
}
