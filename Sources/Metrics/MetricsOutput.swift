package import Pipeline
public import Platform
public import Shipping
public import Spool

/// Metrics as an output of a run: counts the transactions in its lines, and serves the counts to HTTP clients
/// and writes them to a file.
///
/// Lines come through a spool, as those of every output do, so that reading the log waits neither for
/// counting nor for clients.
public final class MetricsOutput: EntryObserver {
  /// The format of the lines that the output counts.
  public static let format = Array(RequestLine.format.utf8)

  /// Which metrics there are, and where they are served or written.
  public let settings: MetricsSettings
  private let board: StatusBoard?
  private let warn: @Sendable (String) -> Void
  private let book: Guarded<RequestBook>
  private let parts = Guarded(Parts())

  /// The threads that run besides the log's reader, and the socket until its thread starts.
  private struct Parts: ~Copyable {
    var socket: ListeningSocket?
    var server: MetricsServer?
    var textfile: TextfileThread?
  }

  /// - Parameters:
  ///   - settings: which metrics there are, and where they are served or written.
  ///   - board: where the run puts its status.
  ///   - warn: takes messages about errors.
  package init(
    _ settings: MetricsSettings, _ board: StatusBoard?, warn: @escaping @Sendable (String) -> Void
  ) {
    self.settings = settings
    self.board = board
    self.warn = warn
    book = Guarded(RequestBook(settings.requests))
  }

  /// The name for messages.
  public var name: String { settings.listen.map { "metrics at \($0)" } ?? settings.textfile ?? "metrics" }

  /// The address and the file, which no other output may use.
  public var exclusiveNames: [String] {
    [settings.listen?.description, settings.textfile].compactMap(\.self)
  }

  /// The directories in which files are created and replaced.
  public var writableDirectories: [String] {
    var paths = [settings.textfile].compactMap(\.self)
    if case .unix(let path)? = settings.listen { paths.append(path) }
    return paths.map { path in
      guard let slash = path.lastIndex(of: "/") else { return "." }
      return slash == path.startIndex ? "/" : String(path[..<slash])
    }
  }

  /// Begins to listen; clients that connect wait until `begin`.
  public func open() throws(SystemError) {
    guard let listen = settings.listen else { return }
    var socket: ListeningSocket? = try listen.listen()
    if case .tcp(let host, 0) = listen, let port = socket?.port {
      warn("metrics are at \(ListenAddress.tcp(host: host, port: port))")
    }
    parts.withLock { $0.socket = socket.take() }
  }

  /// Begins to answer clients and to write the file.
  public func begin() {
    do throws(Errno) {
      if let socket = parts.withLock({ $0.socket.take() }) {
        let server = try MetricsServer(socket, collector(), MetricsServer.limits)
        parts.withLock { $0.server = server }
      }
      let textfile = try startTextfile()
      parts.withLock { $0.textfile = textfile }
    } catch {
      warn("metrics: start a thread: \(error)")
    }
  }

  /// Counts the transactions in lines.
  public func observe(_ batch: EntryBatch) { RequestBook.count(batch, in: book) }

  private func startTextfile() throws(Errno) -> TextfileThread? {
    guard let path = settings.textfile else { return nil }
    return try TextfileThread(
      Textfile(path: path), collector(), periodNanoseconds: settings.textfileNanoseconds, warn: warn)
  }

  /// Stops answering clients, and writes the file once more.
  public func end() {
    let (server, textfile) = parts.withLock { parts in
      parts.socket = nil
      return (parts.server.take(), parts.textfile.take())
    }
    server?.end()
    textfile?.end()
  }

  /// Writes the final state to the file: only now the run knows whether each entry was written or dropped.
  public func finish() { (try? startTextfile())?.end() }

  /// All metrics as they are now, in the text format.
  public func exposition() -> [UInt8] {
    var collector = collector()
    return collector.exposition(.text)
  }

  private func collector() -> MetricsCollector { MetricsCollector(book, board, settings.instance) }
}
