import Glibc
import TestSupport
import Testing

extension LiveSuite {
  /// The system calls show that the log is only ever read, and that an idle log costs next to nothing.
  @Suite(.needs(.spillway, .program("strace")))
  struct ReadOnlyTests {
    /// Calls that leave a file as it is.
    ///
    /// `fcntl` sets no lock here unless its line says so.
    static let harmless: Set<Substring> = [
      "open", "openat", "close", "stat", "lstat", "fstat", "newfstatat", "statx", "statfs",
      "fstatfs",
      "access", "faccessat", "faccessat2", "read", "pread64", "lseek", "mmap", "munmap", "madvise",
      "fcntl", "getdents64", "readlink", "inotify_add_watch", "fadvise64",
    ]

    @Test func `the log is opened and mapped read-only and idling is cheap`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance()
        let files = try OutputFiles()
        let place = try TemporaryDirectory()
        let tracePath = place.file("trace")
        let wrapper = SystemCallTrace.wrapper(output: tracePath)
        let follower = try Follower(varnish, ["-w", files.path], wrapper: wrapper)
        try follower.attach(files)
        _ = try LoadClient.run(LoadPlan(port: varnish.port, prefix: "load", count: 2000))
        let quiet = Self.wallClock + 2
        let idleSeconds = 4.0
        Deadline.after(.seconds(2 + idleSeconds)).sleep()
        let end = try follower.child.terminate(by: .after(.seconds(10)))
        #expect(end.status == 0)

        let trace = try Self.finishedTrace(tracePath)
        let idle = trace.count(from: quiet, to: quiet + idleSeconds)
        #expect(Double(idle) <= 20 * idleSeconds, "\(idle) calls in \(idleSeconds) s")
        Self.expectReadOnly(trace, directory: varnish.directory)
      }
    }

    private static func expectReadOnly(_ trace: SystemCallTrace, directory: String) {
      var mappedLogs = 0
      for call in trace.calls {
        let paths = call.paths(below: directory)
        if paths.isEmpty { continue }
        #expect(paths.allSatisfy { isExpected($0, in: directory) }, "\(call.text)")
        #expect(harmless.contains(call.name), "\(call.text)")
        #expect(!call.text.contains("F_SETLK") && !call.text.contains("F_OFD_SETLK"))
        if call.name == "open" || call.name == "openat" {
          let isReading = call.text.contains("O_RDONLY") && !call.text.contains("O_CREAT")
          #expect(isReading, "\(call.text)")
        }
        if call.name == "mmap" {
          let isReading = call.text.contains("PROT_READ") && !call.text.contains("PROT_WRITE")
          #expect(isReading, "\(call.text)")
          mappedLogs += paths.contains { $0.contains("/_.Log.") } ? 1 : 0
        }
      }
      #expect(mappedLogs > 0, "no log was mapped: is the trace understood?")
    }

    /// The only paths that are used: the two directories, their indexes and the log.
    private static func isExpected(_ path: String, in directory: String) -> Bool {
      let name = path.dropFirst(directory.count).drop { $0 == "/" }
      let sets = ["_.vsm_mgt", "_.vsm_child"]
      return name.isEmpty || sets.contains { $0 == name || "\($0)/_.index" == name }
        || name.hasPrefix("_.vsm_child/_.Log.")
    }

    /// The trace, once the tracer, which outlives the program a little, has written the end.
    private static func finishedTrace(_ path: String) throws(SupportError) -> SystemCallTrace {
      var text = ""
      let isWhole = try poll(until: .after(.seconds(5))) { () throws(SupportError) in
        text = try readText(path)
        return text.contains("+++ exited with") && text.hasSuffix("+++\n")
      }
      guard isWhole else { throw SupportError("the trace has no end: \(text.suffix(200))") }
      return SystemCallTrace(text)
    }

    private static var wallClock: Double {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
  }
}
