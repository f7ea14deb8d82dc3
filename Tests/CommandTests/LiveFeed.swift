import Glibc
import TestSupport

/// The program under test, following a log that a test writes, and the paths that must arrive.
final class LiveFeed {
  /// The program's process.
  let child: ChildProcess
  /// The program's standard error.
  let messages: OutputPipe
  /// The paths that were requested.
  private(set) var requested: [String] = []
  private let home: TemporaryDirectory
  private let instance: SampleWorkdir
  private let ring: RingWriter
  private let isTimed: Bool

  /// Starts the program and waits until it has written something.
  ///
  /// - Parameters:
  ///   - isTimed: Whether records say when requests began and ended.
  ///   - text: The text of the program's output.
  ///   - wrap: Changes the command that starts the program.
  init(
    _ arguments: [String], isTimed: Bool = false, wrap: (Command) -> Command = { $0 },
    text: () throws(SupportError) -> String
  ) throws(SupportError) {
    self.isTimed = isTimed
    home = try TemporaryDirectory()
    instance = try SampleWorkdir(path: home.file("instance"))
    ring = try instance.startWorker()
    // The program may run as another user, to whom the log must be readable.
    for path in [home.path, ring.path] { chmod(path, 0o755) }
    var command = try Subject.found().ncsa(["-n", instance.path, "-F", "%U"] + arguments)
    command.environment = ["SPILLWAY_COMPAT": nil]
    child = try ChildProcess(wrap(command))
    guard let messages = child.errorOutput else { throw SupportError("standard error is no pipe") }
    self.messages = messages
    let isAttached = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
      request("/attach")
      return try text().contains("/attach")
    }
    guard isAttached else { throw SupportError("it writes nothing: \(messages.text)") }
  }

  /// Requests `count` new paths.
  func send(_ count: Int) {
    for _ in 0..<count {
      let path = "/\(requested.count)/\(String(repeating: "x", count: requested.count % 300))"
      requested.append(path)
      request(path)
    }
  }

  private var vxid: UInt64 = 100

  private func request(_ path: String) {
    vxid += 1
    let times = ["Start: 1700000000.000000 0.000000 0.000000", "Resp: 1700000000.002000 0.002000 0.002000"]
    var records = [
      SampleRecord(vxid, .client, "Begin", "req 1 rxreq"), SampleRecord(vxid, .client, "ReqURL", path),
    ]
    if isTimed { records += times.map { SampleRecord(vxid, .client, "Timestamp", $0) } }
    ring.append(batch: records + [SampleRecord(vxid, .client, "End")])
  }

  /// Waits for a message of the program that contains a text.
  @discardableResult
  func message(containing text: String) throws(SupportError) -> String {
    try messages.line(containing: text, by: .after(.seconds(30)))
  }

  /// Waits until all requested paths are in the output.
  func waitForAll(in text: () throws(SupportError) -> String) throws(SupportError) {
    let last = requested.last.map { "\($0)\n" } ?? ""
    let isThere = try poll(until: .after(.seconds(30))) { () throws(SupportError) in
      try text().contains(last)
    }
    guard isThere else { throw SupportError("not all has come: \(messages.text)") }
  }

  /// Ends the program, and returns its messages by line.
  func finish() throws(SupportError) -> (end: ProcessEnd, said: [String]) {
    let end = try child.terminate(by: .after(.seconds(30)))
    try messages.waitForEnd(by: .after(.seconds(10)))
    return (end, messages.text.split(separator: "\n").map(String.init))
  }

  /// The lines of a text, without those requested while attaching.
  static func lines(_ text: String) -> [String] {
    text.split(separator: "\n").filter { $0 != "/attach" }.map(String.init)
  }
}

/// The files of an output below a directory, oldest first.
struct OutputDirectory {
  let path: String
  let isCompressed: Bool

  /// The contents of the files, concatenated.
  func text() throws(SupportError) -> String {
    let files = try readTogether(path, where: { $0.hasPrefix("access.log") }) { path throws(SupportError) in
      var command = Command(isCompressed ? "gzip" : "cat", isCompressed ? ["-dcq"] : [])
      command.input = .file(path)
      return try ProcessRunner.run(command).text
    }
    // In the order of times and counts; the current file, which has neither, comes last.
    let sorted = files.sorted { Self.age($0.name).lexicographicallyPrecedes(Self.age($1.name)) }
    return sorted.map(\.content).joined()
  }

  /// The parts of a name such as `20261121T120000-2`, for comparison.
  private static func age(_ name: String) -> [Int] {
    let numbers = name.split { !$0.isNumber }.compactMap { Int($0) }
    return numbers.isEmpty ? [.max] : numbers
  }
}
