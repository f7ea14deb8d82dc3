@testable import Pipeline
import Platform
import TestSupport
import Testing

/// The notifications to the service manager and the answers on the status socket, by a clock that the test
/// sets.
final class ObservationTests {
  private let directory: TemporaryDirectory
  private let socket: NotifySocket
  private let manager: ServiceManager
  private let routes = FixedList<Route>(count: 0) { _ in preconditionFailure("there are none") }

  init() throws {
    directory = try TemporaryDirectory()
    socket = try NotifySocket(path: directory.file("notify"))
    // So a sign of life is due every second.
    manager = ServiceManager(socket: socket.path, watchdogMicroseconds: "2000000")
  }

  private static func moment(_ seconds: Double) -> Moment {
    Moment(wallSeconds: 1000 + Int64(seconds), steadyNanoseconds: Int64(seconds * 1e9))
  }

  private func observation(_ board: StatusBoard, _ status: RunStatus) -> Observation {
    var observation = Observation(
      status, board, nil, manager, pauseNanoseconds: Observation.pause(manager))
    observation.beginWatch(at: 0)
    return observation
  }

  private static let status = RunStatus(
    version: "1", start: moment(0), log: LogStanding(path: "/edge", state: .reading))

  /// Whether the service manager has got a sign of life since the last call.
  private func isFed() throws -> Bool {
    let former = socket.messages.count
    while try socket.next(by: .after(.zero)) != nil {}
    return socket.messages[former...].contains { $0.contains("WATCHDOG=1") }
  }

  @Test func `a reader that finds records and doesn't get on starves the watchdog, and says so once`() throws
  {
    let board = StatusBoard()
    var observation = observation(board, Self.status)
    var said: [String] = []
    var standing = LogStanding(path: "/edge", state: .reading, isIdle: true)
    for quarter in 1...8 {
      observation.look(standing, routes, at: Self.moment(Double(quarter) / 4)) { said.append($0) }
    }
    #expect(try isFed())
    standing.isIdle = false
    for quarter in 9...40 {
      observation.look(standing, routes, at: Self.moment(Double(quarter) / 4)) { said.append($0) }
    }
    #expect(try !isFed())
    #expect(said == ["the reader: hangs; the service manager's watchdog isn't fed"])
    standing.isIdle = true
    observation.look(standing, routes, at: Self.moment(11)) { said.append($0) }
    #expect(try isFed())
    #expect(said.last == "the reader: goes on again")
  }

  @Test func `a reader that waits for room is well`() throws {
    let board = StatusBoard()
    var observation = observation(board, Self.status)
    let standing = LogStanding(path: "f", state: .reading, isIdle: false, isHeldBack: true)
    for second in 1...10 {
      observation.look(standing, routes, at: Self.moment(Double(second))) { Issue.record("\($0)") }
      #expect(try isFed())
    }
  }

  @Test func `rates are those of the last seconds, and a new log begins anew`() {
    var rate = Rate()
    #expect(rate.perSecond == nil)
    for second in 0...20 { rate.note(second * 100, at: Int64(second) * 1_000_000_000) }
    #expect(rate.perSecond == 100)
    for quarter in 81...200 { rate.note(2000, at: Int64(quarter) * 250_000_000) }
    #expect(rate.perSecond == 0)
    rate.note(5, at: 51_000_000_000)
    #expect(rate.perSecond == nil)
  }

  @Test func `names in an answer stay what they are, and do nothing to a terminal`() {
    var status = Self.status
    status.log.path = "/a\"b\\c\u{1b}[2J\nd"
    let json = String(decoding: status.json(at: Self.moment(90_061)), as: UTF8.self)
    #expect(json.hasPrefix(#"{"version":"1","pid":"#))
    #expect(json.contains(#""path":"/a\"b\\c\u001b[2J\u000ad""#))
    #expect(json.contains(#""uptime_seconds":90061,"#) && json.contains(#""lag_bytes":null"#))
    #expect(json.filter { $0 == "\n" }.count == 1)
    let table = String(decoding: status.table(at: Self.moment(90_061)), as: UTF8.self)
    #expect(table.contains(", up 1d 01:01:01\n"))
    #expect(table.contains(#"log      /a"b\c\x1b[2J\nd: reading, 0 read"#))
  }

  @Test func `numbers of bytes are short`() {
    for (count, text) in [
      (0, "0"), (1023, "1023"), (1024, "1.0K"), (83_886_080, "80.0M"), (1_048_575, "1.0M"),
      (150 << 20, "150M"), (3 << 40, "3.0T"), (.max, "8388608T"),
    ] { #expect(ByteText.short(count) == text) }
  }
}
