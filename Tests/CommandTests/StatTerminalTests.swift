import Glibc
import TestSupport
import Testing

/// `spillway stat` on a real terminal; the expected screens are in `Fixtures/screens`.
///
/// With `SPILLWAY_KEEP_SCREENS`, the screens found are written there.
@Suite(.needs(.spillway, .program("tmux")), .limit(minutes: 3))
struct StatTerminalTests {
  private static let counters:
    [(name: String, kind: String, format: String, level: String, summary: String)] = [
      ("uptime", "counter", "duration", "info", "Child process uptime"),
      ("cache_hit", "counter", "integer", "info", "Cache hits"),
      ("cache_miss", "counter", "integer", "info", "Cache misses"),
      ("n_object", "gauge", "integer", "info", "object structs made"),
      ("s_resp_bodybytes", "counter", "bytes", "info", "Response body bytes"),
      (
        "bans_lurker_obj_killed_cutoff", "counter", "integer", "diag",
        "Objects killed by bans for cutoff (lurker)"
      ),
      ("fetch_failed", "counter", "integer", "info", "Fetch failed (all causes)"),
      ("happy", "bitmap", "bitmap", "info", "Happy health probes"),
      ("dbg_busy", "counter", "integer", "debug", "Contended lock operations"),
    ]
  private static let values: [UInt64] = [
    93784, 12345, 678, 42, 9_876_543_210, 7, 0, 0xFFFF_FFFF_0000_00FF, 3,
  ]

  private static func server() throws(SupportError) -> CounterServer {
    let elements = counters.enumerated().map { index, counter in
      """
      "\(counter.name)":{"type":"\(counter.kind)","level":"\(counter.level)","oneliner":"\(counter.summary)",\
      "format":"\(counter.format)","index":\(index * 8),"name":"\(counter.name)"}
      """
    }
    let server = try CounterServer(
      slotCount: 2, counterCount: counters.count, document: "{\"elem\":{\(elements.joined(separator: ","))}}")
    try server.add("MAIN", in: 0, values)
    return server
  }

  private static func session(
    _ server: CounterServer, columns: Int = 80, rows: Int = 24, environment: [String: String] = [:]
  ) throws -> TmuxSession {
    try TmuxSession(
      "\(try Subject.found().path) stat -n \(server.path) -w 0.2", columns: columns, rows: rows,
      environment: environment)
  }

  /// The screen without the part that differs between runs: the directory's name.
  private static func anonymous(_ screen: String, _ server: CounterServer) -> String {
    var lines = screen.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.first?.hasPrefix("stat  ") == true {
      let words = lines[0].split(separator: " ").dropFirst(2)
      lines[0] = "stat  DIRECTORY  " + words.joined(separator: " ")
    }
    return lines.joined(separator: "\n")
  }

  /// Waits until the screen equals a fixture.
  private static func expect(_ name: String, _ session: TmuxSession, _ server: CounterServer) throws {
    let path =
      #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/") + "/Fixtures/screens/\(name).txt"
    if getenv("SPILLWAY_KEEP_SCREENS") != nil {
      usleep(1_500_000)
      try writeFile(path, Array(anonymous(try session.screen(), server).utf8))
      return
    }
    let expected = String(decoding: try readFile(path), as: UTF8.self)
    try session.wait(for: name) { anonymous($0, server) == expected }
  }

  @Test func `counters, filter, verbosity, zeros, help and other sizes are shown as they should be`()
    async throws
  {
    try await onOwnThread {
      let server = try Self.server()
      let session = try Self.session(server)
      try Self.expect("first", session, server)
      try session.press("v", "v", "d")
      try Self.expect("all", session, server)
      try session.press("/", "c", "a", "c", "h")
      try Self.expect("filter", session, server)
      try session.press("Escape")
      try session.press("Down", "Down", "e")
      try Self.expect("selected", session, server)
      try session.press("h")
      try Self.expect("help", session, server)
      try session.press("q", "V", "V", "d", "e", "Home")
      try session.resize(columns: 50, rows: 12)
      try Self.expect("narrow", session, server)
      try session.resize(columns: 120, rows: 16)
      try Self.expect("wide", session, server)
      try session.resize(columns: 30, rows: 5)
      try Self.expect("tiny", session, server)
      try session.press("q")
      try session.wait(for: "the end") { $0.contains("ended with 0") }
    }
  }

  @Test func `changes are shown, and a server that goes and comes`() async throws {
    try await onOwnThread {
      let server = try Self.server()
      let session = try Self.session(server)
      func row(_ name: String, _ screen: String) -> [Substring] {
        let line = screen.split(separator: "\n").first { $0.hasPrefix("MAIN.\(name) ") }
        return line?.split(separator: " ") ?? []
      }
      try session.wait(for: "a counter") { row("cache_hit", $0).count == 6 }
      var values = Self.values
      for _ in 0..<20 {
        values[1] += 1000
        values[3] = 4242
        server.set(0, values)
        usleep(50_000)
      }
      // The program has looked at the counter several times during the growth.
      try session.wait(for: "growth") { row("cache_hit", $0).dropFirst(2).contains { $0 != "0.00" } }
      try session.wait(for: "values") {
        row("cache_hit", $0)[1] == "32345" && row("n_object", $0)[1] == "4242"
      }
      server.stop()
      let gone = try session.wait(for: "trouble") { $0.contains("no server has published a log there") }
      #expect(row("cache_hit", gone).dropFirst().first == "32345")
      try session.wait(for: "red", isStyled: true) { $0.contains("\u{1B}[31m") }
      try server.start()
      try server.add("MAIN", in: 1, [1, 5])
      let back = try session.wait(for: "the new server") { row("cache_hit", $0).dropFirst().first == "5" }
      #expect(!back.contains("no server has published"))
      // Earlier counts have no influence on the averages of the new server.
      try session.wait(for: "averages") {
        row("cache_hit", $0).dropFirst(2) == ["0.00", "0.00", "0.00", "0.00"]
      }
    }
  }

  @Test func `without colours there are none`() async throws {
    try await onOwnThread {
      let server = try Self.server()
      let session = try Self.session(server, environment: ["NO_COLOR": "1"])
      try session.wait(for: "a counter") { $0.contains("MAIN.cache_hit") }
      server.stop()
      try session.wait(for: "trouble") { $0.contains("no server has published a log there") }
      let screen = try session.styledScreen()
      #expect(!screen.contains(/\u{1B}\[[0-9;]*3[0-7]m/))
      #expect(screen.contains("\u{1B}[7m") || screen.contains("\u{1B}[1m"))
    }
  }

  @Test(arguments: ["INT", "TERM"]) func `a signal ends it, and leaves the terminal as it was`(name: String)
    async throws
  {
    try await onOwnThread {
      let server = try Self.server()
      let program = try Subject.found().path
      let session = try TmuxSession(
        "sh -c 'echo before; echo $$ >\(server.path)/pid; exec \(program) stat -n \(server.path)'",
        columns: 80,
        rows: 24)
      try session.wait(for: "a counter") { $0.contains("MAIN.cache_hit") }
      let process = try #require(pid_t(try readText(server.path + "/pid").filter(\.isNumber)))
      kill(process, name == "INT" ? SIGINT : SIGTERM)
      let end = try session.wait(for: "the end") { $0.contains("ended with") }
      #expect(end.hasPrefix("before\n") && !end.contains("MAIN.cache_hit"))
      #expect(end.contains("ended with \(128 + (name == "INT" ? SIGINT : SIGTERM))"))
    }
  }
}
