import Glibc
import TestSupport
import Testing

/// `spillway top` and `spillway hist` on a real terminal; the expected screens are in `Fixtures/screens`.
@Suite(.needs(.spillway, .program("tmux")), .limit(minutes: 3))
struct PictureTerminalTests {
  /// A live log, and a terminal that shows a picture of it.
  private struct Scene {
    let instance: SampleWorkdir
    let ring: RingWriter
    let session: TmuxSession

    init(
      _ arguments: String, columns: Int = 80, rows: Int = 24, environment: [String: String] = [:]
    ) throws(SupportError) {
      instance = try SampleWorkdir()
      ring = try instance.startWorker()
      session = try TmuxSession(
        "\(try Subject.found().path) \(arguments) -n \(instance.path)", columns: columns, rows: rows,
        environment: environment)
    }
  }

  /// The screen without the parts that differ between runs: the directory's name, and rates.
  private static func anonymous(_ screen: String) -> String {
    var lines = screen.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for index in lines.indices {
      if lines[index].hasPrefix("top  /") || lines[index].hasPrefix("hist  /") {
        lines[index] = lines[index].prefix { $0 != " " } + "  DIRECTORY"
      }
      // The rate is the column behind the count.
      if let row = lines[index].prefixMatch(of: /( +[0-9.]+)((?: +0)?)( +[0-9.]+)( +[0-9.]+%)/) {
        let rate = String(repeating: " ", count: row.output.3.count - 1) + "R"
        lines[index] =
          row.output.1 + row.output.2 + rate
          + lines[index].dropFirst(
            row.output.1.count + row.output.2.count + row.output.3.count)
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func expect(_ name: String, _ scene: Scene) throws {
    try ScreenFixture.expect(name, scene.session, anonymous)
  }

  /// A command with so long a period that nothing fades during the test.
  private static let lasting = "top -p 1000000"

  @Test func `top shows its columns, a filter, orders, help, and other sizes`() async throws {
    try await onOwnThread {
      let scene = try Scene(Self.lasting)
      try scene.session.wait(for: "the picture") { $0.contains("none") && $0.contains("COUNT") }
      PictureLog.log(PictureLog.requests, scene.ring)
      try Self.expect("top-first", scene)
      try scene.session.press("/", "w", "w", "w", "1")
      try Self.expect("top-filter", scene)
      try scene.session.press("Enter", "o", "o", "Down")
      try Self.expect("top-p99", scene)
      try scene.session.press("h")
      try Self.expect("top-help", scene)
      try scene.session.press("q", "Escape", "Home")
      try scene.session.resize(columns: 50, rows: 9)
      try Self.expect("top-narrow", scene)
      try scene.session.resize(columns: 130, rows: 14)
      try Self.expect("top-wide", scene)
      try scene.session.resize(columns: 30, rows: 4)
      try Self.expect("top-tiny", scene)
      try scene.session.press("q")
      let end = try scene.session.wait(for: "the end") { $0.contains("ended with 0") }
      #expect(!end.contains("COUNT"))
    }
  }

  @Test func `a log that goes is said in red, and one that comes is counted`() async throws {
    try await onOwnThread {
      let scene = try Scene(Self.lasting)
      try scene.session.wait(for: "the picture") { $0.contains("COUNT") }
      PictureLog.log([PictureLog.Request(path: "/before")], scene.ring)
      try scene.session.wait(for: "a request") { $0.contains("/before") }
      scene.instance.stopWorker()
      let gone = try scene.session.wait(for: "trouble", isStyled: true) {
        $0.contains("\u{1B}[31mFailed to acquire log")
      }
      #expect(gone.contains("/before"))
      let ring = try scene.instance.startWorker()
      try scene.session.wait(for: "the new log") {
        !$0.contains("Failed to acquire") && $0.contains("nothing lost")
      }
      PictureLog.log([PictureLog.Request(path: "/after")], ring)
      try scene.session.wait(for: "a request of the new log") {
        $0.contains("/before") && $0.contains("/after")
      }
      try scene.session.press("q")
      try scene.session.wait(for: "the end") { $0.contains("ended with 0") }
    }
  }

  @Test func `what came long ago counts for less`() async throws {
    try await onOwnThread {
      let scene = try Scene("top -p 1 --by %U")
      try scene.session.wait(for: "the picture") { $0.contains("COUNT") }
      PictureLog.log([PictureLog.Request](repeating: PictureLog.Request(path: "/old"), count: 30), scene.ring)
      try scene.session.wait(for: "the first") { $0.contains("/old") }
      let isLess = try scene.session.wait(for: "less of it") { screen in
        let row = screen.split(separator: "\n").first { $0.hasSuffix("/old") }?.split(separator: " ")
        return row.flatMap { Double($0[0]) }.map { $0 < 10 } ?? false
      }
      #expect(isLess.contains("/old"))
      PictureLog.log(
        [PictureLog.Request](repeating: PictureLog.Request(path: "/new"), count: 12), scene.ring, from: 1000)
      try scene.session.wait(for: "the new one above the old one") { screen in
        guard let old = screen.firstRange(of: "/old"), let new = screen.firstRange(of: "/new") else {
          return false
        }
        return new.lowerBound < old.lowerBound
      }
    }
  }

  @Test func `without colours there are none`() async throws {
    try await onOwnThread {
      let scene = try Scene(Self.lasting, environment: ["NO_COLOR": "1"])
      try scene.session.wait(for: "the picture") { $0.contains("COUNT") }
      scene.instance.stopWorker()
      try scene.session.wait(for: "trouble") { $0.contains("Failed to acquire log") }
      let screen = try scene.session.styledScreen()
      #expect(!screen.contains(/\u{1B}\[[0-9;]*3[0-7]m/) && screen.contains("\u{1B}[1m"))
    }
  }

  @Test func `hist shows bars, percentiles of each minute, and other measures and sizes`() async throws {
    try await onOwnThread {
      let scene = try Scene("hist -p 0.2")
      try scene.session.wait(for: "the picture") { $0.contains("1e-3") }
      PictureLog.log(PictureLog.requests, scene.ring)
      try Self.expect("hist-first", scene)
      try scene.session.press("m", "m")
      try scene.session.wait(for: "another measure") { $0.contains("backend (3 of 3)") }
      try scene.session.press("m", "h")
      try Self.expect("hist-help", scene)
      try scene.session.press("h")
      try scene.session.resize(columns: 60, rows: 12)
      try Self.expect("hist-narrow", scene)
      try scene.session.press("q")
      try scene.session.wait(for: "the end") { $0.contains("ended with 0") }
    }
  }

  /// The expected picture is that of varnishhist 7.1.1.
  @Test func `varnishhist's picture of a captured log is drawn as it draws it`() async throws {
    try await onOwnThread {
      let log = try Fixture.named("7.1").path("capture.vsl")
      let program = try Subject.found().path
      let session = try TmuxSession(
        "sh -c 'exec -a varnishhist \(program) -r \(log)'".replacing("sh -c", with: "bash -c"), columns: 80,
        rows: 24)
      let ours = try session.wait(for: "the end of the log") { $0.contains("EOF") && $0.contains("1e-3") }
      if findExecutable("varnishhist") != nil {
        let reference = try TmuxSession("varnishhist -r \(log)", columns: 80, rows: 24)
        try reference.wait(for: "the same") { $0 == ours }
      }
      try session.press("q")
      try session.wait(for: "the end") { $0.contains("ended with 0") }
    }
  }

  @Test func `a captured log that is played slowly can be left, and made faster`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let start = PictureLog.Request().start
      try PictureLog.write(
        [PictureLog.Request(start: start), PictureLog.Request(start: start + 100)], to: home.file("log"))
      func session(_ factor: String) throws(SupportError) -> TmuxSession {
        try TmuxSession(
          "\(try Subject.found().path) hist -B \(factor) -r \(home.file("log"))", columns: 80, rows: 24)
      }
      let slow = try session("0.001")
      try slow.wait(for: "the first request") { $0.contains("hits | 1,") }
      try slow.press("q")
      try slow.wait(for: "the end") { $0.contains("ended with 0") }
      let faster = try session("0.001")
      try faster.wait(for: "the first request") { $0.contains("hits | 1,") }
      // Faster by a factor of 2^20, so that the log ends at once.
      for _ in 0..<20 { try faster.press(">") }
      try faster.wait(for: "the second request") { $0.contains("hits | 2,") && $0.contains("ended") }
      try faster.press("q")
      try faster.wait(for: "the end") { $0.contains("ended with 0") }
    }
  }
}
