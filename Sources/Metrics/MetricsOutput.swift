package import Pipeline
public import Platform
public import Shipping
public import Spool

/// Metrics as an output of a run: it counts what its lines tell, and tells that to those who ask.
///
/// Lines come through a spool, as those of every output do, so that reading waits neither for counting nor for those
/// who ask.
public final class MetricsOutput: EntryObserver {
  /// The format of the lines that it understands.
  public static let format = Array(RequestLine.format.utf8)

  /// What is told, and where.
  public let settings: MetricsSettings
  private let board: StatusBoard?
  private let warn: @Sendable (String) -> Void
  private let book: Guarded<RequestBook>
  private let parts = Guarded(Parts())

  /// What goes on beside the run.
  private struct Parts: ~Copyable {
    var socket: ListeningSocket?
    var server: MetricsServer?
    var textfile: TextfileThread?
  }

  /// - Parameters:
  ///   - settings: what is told, and where.
  ///   - board: where the run leaves how it stands.
  ///   - warn: told what goes wrong.
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

  /// A port and a file can be one output's only.
  public var exclusiveNames: [String] {
    [settings.listen?.description, settings.textfile].compactMap(\.self)
  }

  /// Where files are made and replaced.
  public var writableDirectories: [String] {
    var paths = [settings.textfile].compactMap(\.self)
    if case .unix(let path)? = settings.listen { paths.append(path) }
    return paths.map { path in
      guard let slash = path.lastIndex(of: "/") else { return "." }
      return slash == path.startIndex ? "/" : String(path[..<slash])
    }
  }

  /// Begins to listen; those who connect wait until it begins to answer.
  public func open() throws(SystemError) {
    guard let listen = settings.listen else { return }
    var socket: ListeningSocket? = try listen.listen()
    if case .tcp(let host, 0) = listen, let port = socket?.port {
      warn("metrics are at \(ListenAddress.tcp(host: host, port: port))")
    }
    parts.withLock { $0.socket = socket.take() }
  }

  /// Begins to answer and to write.
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

  /// Counts what lines tell.
  public func observe(_ batch: EntryBatch) { RequestBook.count(batch, in: book) }

  private func startTextfile() throws(Errno) -> TextfileThread? {
    guard let path = settings.textfile else { return nil }
    return try TextfileThread(
      Textfile(path: path), collector(), periodNanoseconds: settings.textfileNanoseconds, warn: warn)
  }

  /// Ends answering, and writes what was counted.
  public func end() {
    let (server, textfile) = parts.withLock { parts in
      parts.socket = nil
      return (parts.server.take(), parts.textfile.take())
    }
    server?.end()
    textfile?.end()
  }

  /// Writes the last state, as it is known only now what has become of everything.
  public func finish() { (try? startTextfile())?.end() }

  /// All metrics as they are now, in the text format.
  public func exposition() -> [UInt8] {
    var collector = collector()
    return collector.exposition(.text)
  }

  private func collector() -> MetricsCollector { MetricsCollector(book, board, settings.instance) }
}
