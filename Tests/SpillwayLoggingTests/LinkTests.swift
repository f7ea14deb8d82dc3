import Glibc
import TestSupport
import Testing

/// The libraries with which a server is linked that only writes.
@Suite struct LinkTests {
  private let probe: String

  init() throws { probe = try #require(Subject.builtExecutable("ServerProbe")) }

  @Test(.needs(.program("ldd")))
  func `nothing that only reading needs is linked`() throws {
    let libraries = try ProcessRunner.run("ldd", probe).text
    #expect(libraries.contains("libc.so"), "\(libraries)")
    for name in ["libz.", "libzstd.", "libisal", "libdeflate", "libpcre2", "libyaml", "libFoundation"] {
      #expect(!libraries.contains(name), "\(libraries)")
    }
  }

  @Test(.needs(.spillway)) func `what it logs can be read`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let input = home.file("input")
      try #require(mkfifo(input, 0o600) == 0)
      // The server ends when its input is closed.
      let keeper = open(input, O_RDWR | O_CLOEXEC)
      defer { close(keeper) }
      var command = Command(probe, [home.file("log")])
      command.input = .file(input)
      let server = try ChildProcess(command)
      try #require(server.output).line(containing: "logged", by: .after(.seconds(30)))
      let lines = try ProcessRunner.run(
        try Subject.found().ncsa(["-n", home.file("log"), "-d", "-F", "%h %m %U %s %b"]))
      #expect(lines.text == "192.0.2.7 GET /probe 200 5\n", "\(lines.errorText)")
      server.signal(SIGKILL)
      try server.wait(by: .after(.seconds(30)))
    }
  }
}
