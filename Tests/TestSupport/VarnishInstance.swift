public import Glibc

/// A varnishd that belongs to a test, in a directory of its own, which answers every request without an
/// origin.
///
/// The answer to `/any/path` is a 200 without a body whose `X-Url` header repeats the path.
public final class VarnishInstance: Sendable {
  /// The VCL that a new instance runs unless it is given another.
  public static let answeringVCL = """
    vcl 4.1;
    backend default none;
    sub vcl_recv { return (synth(200)); }
    sub vcl_synth {
      set resp.http.X-Url = req.url;
      unset resp.http.Retry-After;
      set resp.body = "";
      return (deliver);
    }

    """

  /// Whether this machine has a varnishd.
  public static var isInstalled: Bool {
    findExecutable("varnishd") != nil && findExecutable("varnishadm") != nil
  }

  private struct State: Sendable {
    var manager: ChildProcess?
    var worker: pid_t = 0
    var port: UInt16 = 0
  }

  /// The argument for `-n`.
  public let directory: String
  private let home: TemporaryDirectory
  private let parameters: [String: String]
  private let state = Monitor(State())

  /// Starts a varnishd and waits until it answers.
  ///
  /// - Parameters:
  ///   - vcl: The VCL to run.
  ///   - parameters: Values for `-p`, for example `["vsl_space": "8m"]`.
  public init(
    vcl: String = VarnishInstance.answeringVCL, parameters: [String: String] = [:]
  ) throws(SupportError) {
    home = try TemporaryDirectory()
    directory = home.file("varnish")
    self.parameters = parameters
    try writeFile(home.file("default.vcl"), vcl.utf8)
    try start()
  }

  deinit { state.withLock { $0.manager }?.signal(SIGKILL) }

  /// The port on 127.0.0.1 on which it listens; the same across `restart()`.
  public var port: UInt16 { state.withLock { $0.port } }

  /// The process that answers requests and writes the log.
  public var worker: pid_t { state.withLock { $0.worker } }

  /// Stops the worker process in an orderly way; the manager stays.
  public func stopWorker() throws(SupportError) {
    let manager = try running()
    manager.output?.skipLines()
    try administer("stop")
    try report(of: manager, "Child cleanup complete")
  }

  /// Starts a worker after `stopWorker()` and waits until it answers.
  public func startWorker() throws(SupportError) {
    let manager = try running()
    try administer("start")
    try awaitWorker(of: manager)
  }

  /// Kills the worker without warning, and waits until the manager has started another.
  public func killWorker() throws(SupportError) {
    let manager = try running()
    manager.output?.skipLines()
    kill(worker, SIGKILL)
    try report(of: manager, "died signal=9")
    try awaitWorker(of: manager)
  }

  /// Stops varnishd altogether; the directory stays.
  public func stop() throws(SupportError) {
    try running().terminate(by: .after(.seconds(20)))
    state.withLock { $0.manager = nil }
  }

  /// Starts varnishd in its directory, on the port that it had, and waits until it answers.
  public func start() throws(SupportError) {
    let listen = "127.0.0.1:\(port)"
    // Without a jail, varnishd runs as the user of the tests, in a container also root, and needs neither the
    // users of a jail nor a directory that those may enter.
    var arguments = ["-F", "-n", directory, "-j", "none", "-a", listen]
    arguments += ["-f", home.file("default.vcl"), "-s", "malloc,32m"]
    arguments += ["-p", "thread_pool_min=10", "-p", "thread_pools=1"]
    for (name, value) in parameters { arguments += ["-p", "\(name)=\(value)"] }
    var command = Command("varnishd", arguments)
    // varnishd reports on both streams; a single pipe keeps the order.
    command.mergesErrorOutput = true
    let manager = try ChildProcess(command)
    state.withLock { $0.manager = manager }
    try awaitWorker(of: manager)
  }

  /// Stops varnishd and starts it again in the same directory.
  public func restart() throws(SupportError) {
    try stop()
    try start()
  }

  /// Gives the manager a command and returns its answer.
  @discardableResult
  public func administer(_ command: String...) throws(SupportError) -> String {
    let result = try ProcessRunner.run(Command("varnishadm", ["-n", directory] + command))
    guard result.status == 0 else {
      throw SupportError("varnishadm \(command): \(result.text)\(result.errorText)")
    }
    return result.text
  }

  private func running() throws(SupportError) -> ChildProcess {
    guard let manager = state.withLock({ $0.manager }) else {
      throw SupportError("varnishd in \(directory) has been stopped")
    }
    return manager
  }

  @discardableResult
  private func report(
    of manager: ChildProcess, _ text: String
  ) throws(SupportError) -> String {
    guard let output = manager.output else { throw SupportError("varnishd without output") }
    return try output.line(containing: text, by: .after(.seconds(30)))
  }

  /// Waits for the line `Child (PID) said Child starts`, then for an answer.
  private func awaitWorker(of manager: ChildProcess) throws(SupportError) {
    let line = try report(of: manager, "said Child starts")
    let digits = line.drop { $0 != "(" }.dropFirst().prefix { $0.isNumber }
    guard let worker = pid_t(digits) else { throw SupportError("no process id in: \(line)") }
    let addresses = try administer("debug.listen_address").split(separator: "\n")
    let fields = addresses.first?.split(separator: " ") ?? []
    guard fields.count >= 3, let port = UInt16(fields[2]) else {
      throw SupportError("no port in varnishd's listen addresses: \(addresses)")
    }
    state.withLock { state in
      state.worker = worker
      state.port = port
    }
    guard try poll(until: .after(.seconds(10)), { () throws(SupportError) in isAnswering(port) })
    else { throw SupportError("varnishd in \(directory) does not accept connections") }
  }

  /// Whether a process accepts connections on a port; no request is sent, so only a session is logged.
  private func isAnswering(_ port: UInt16) -> Bool {
    guard let connection = try? Connection(port: port) else { return false }
    _ = connection
    return true
  }
}
