import Glibc
import TestSupport
import Testing

/// The service manager's watchdog while a thread of a run is stopped: the run sends no signs of life, and
/// resumes them afterwards.
@Suite(.needs(.spillway), .limit(minutes: 2))
struct WatchdogRunTests {
  private let home: TemporaryDirectory
  private let manager: NotifySocket

  init() throws {
    home = try TemporaryDirectory()
    manager = try NotifySocket(path: home.file("notify"))
  }

  /// The thread that is stopped.
  enum Part: CaseIterable {
    case reader, output, spiller

    /// The other arguments of a run that has such a thread.
    func arguments(_ home: TemporaryDirectory) -> [String] {
      switch self {
      case .reader, .output: ["-w", home.file("log")]
      // Entries that aren't taken have to go to disk soon.
      case .spiller:
        [
          "--exec", "exec sleep 1000", "--spool-dir", home.file("spool"), "--spool-memory", "1M", "--drain",
          "0s",
        ]
      }
    }

    /// The reader is the process's first thread; with a disk, the spiller's thread is started before the
    /// output's.
    func thread(of process: pid_t) throws -> pid_t {
      let threads = FrozenThread.threads(of: process)
      switch self {
      case .reader: return process
      case .output: return try #require(threads.dropFirst().first)
      case .spiller: return try #require(threads.count > 2 ? threads[1] : nil)
      }
    }

    /// The part's name in the program's messages; nil for the reader, which prints nothing while it is
    /// stopped.
    var name: String? {
      switch self {
      case .reader: nil
      case .output: "output 1 ("
      case .spiller: "the spool of output 1 ("
      }
    }
  }

  private func command(_ instance: SampleWorkdir, _ part: Part) throws -> Command {
    var command = try Subject.found().ncsa(["-n", instance.path, "-F", "%U"] + part.arguments(home))
    command.environment = [
      "SPILLWAY_COMPAT": nil, "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": nil,
    ]
    return command
  }

  /// Whether the service manager gets a sign of life while requests are logged.
  ///
  /// - Parameter seconds: how long to wait for it; the service manager waits for one second.
  private func isAlive(_ requests: () -> Void, seconds: Int) throws -> Bool {
    let deadline = Deadline.after(.seconds(seconds))
    while !deadline.hasPassed {
      requests()
      if try manager.next(by: .after(.milliseconds(50)))?.contains("WATCHDOG=1") == true { return true }
    }
    return false
  }

  @Test(arguments: Part.allCases)
  func `a thread that stands still while requests come starves the watchdog`(part: Part) async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      let ring = try instance.startWorker()
      let child = try ChildProcess(try command(instance, part))
      try manager.message("READY=1")
      var vxid: UInt64 = 100
      // Enough requests to make memory short within a moment if no thread takes their lines.
      func requests() {
        for _ in 0..<100 {
          ring.append(batch: [
            SampleRecord(vxid, .client, "Begin", "req 1 rxreq"),
            SampleRecord(vxid, .client, "ReqURL", "/\(vxid)/\(String(repeating: "x", count: 200))"),
            SampleRecord(vxid, .client, "End"),
          ])
          vxid += 1
        }
      }
      #expect(try isAlive(requests, seconds: 30))

      let thread = try FrozenThread(part.thread(of: child.identifier))
      // Signs of life from before the stop don't count.
      while try manager.next(by: .after(.milliseconds(1))) != nil {}
      if let name = part.name {
        // It takes a while until memory is short.
        let isSaid = try poll(until: .after(.seconds(60))) { () throws(SupportError) in
          requests()
          return child.errorOutput?.text.contains(name) == true
        }
        #expect(isSaid)
        #expect(child.errorOutput?.text.contains("hangs; the service manager's watchdog isn't fed") == true)
        while try manager.next(by: .after(.milliseconds(1))) != nil {}
      } else {
        // A sign of life for the time before may still be due; none comes after it.
        _ = try isAlive(requests, seconds: 2)
      }
      #expect(try !isAlive(requests, seconds: 2))

      thread.thaw()
      #expect(try isAlive(requests, seconds: 30))
      if part.name != nil {
        try child.errorOutput?.line(containing: "goes on again", by: .after(.seconds(20)))
      }
      child.signal(SIGTERM)
      _ = try child.wait(by: .after(.seconds(30)))
    }
  }
}
