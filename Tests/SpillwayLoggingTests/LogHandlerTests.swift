import LogWriting
import Logging
import SpillwayLogging
import TestSupport
import Testing

/// The records of messages of swift-log.
@Suite(.needs(.spillway))
struct LogHandlerTests {
  private struct Refusal: Error, CustomStringConvertible { let description = "refused\nby peer" }

  private static func logger(_ log: SharedLog, _ provider: Logger.MetadataProvider? = nil) -> Logger {
    Logger(label: "shop.cart") {
      SpillwayLogHandler(label: $0, writer: log.writer, metadataProvider: provider)
    }
  }

  /// The records without those that contain a time.
  private static func records(_ log: SharedLog, _ arguments: [String] = []) throws -> [String] {
    try log.records(arguments).filter { !$0.hasPrefix("Timestamp") }
  }

  @Test func `a message is a transaction with its level, its source and its metadata`() throws {
    let log = try SharedLog()
    var logger = Self.logger(
      log, Logger.MetadataProvider { ["trace": "t1", "b": "provided", "c": "provided"] })
    logger[metadataKey: "a"] = "own"
    logger[metadataKey: "b"] = "own"
    logger.warning(
      "almost empty", metadata: ["c": "said", "user": ["id": "7", "roles": ["x", "y"]], "none": []],
      source: "Shop")
    #expect(
      try Self.records(log) == [
        "Begin sess 0 log", "Notice shop.cart: almost empty", "VCL_Log level: warning",
        "VCL_Log source: Shop",
        "VCL_Log a: own", "VCL_Log b: provided", "VCL_Log c: said", "VCL_Log none: []", "VCL_Log trace: t1",
        "VCL_Log user.id: 7", "VCL_Log user.roles: x", "VCL_Log user.roles: y", "End ",
      ])
    #expect(try log.records(["-i", "Timestamp"]).first?.hasPrefix("Timestamp Start: ") == true)
    #expect(try log.lines(["-F", "%U"]).isEmpty, "a message is no request")
  }

  @Test func `levels choose the tag, and whether there is anything at all`() throws {
    let log = try SharedLog()
    var logger = Self.logger(log)
    #expect(logger.logLevel == .info)
    for level in Logger.Level.allCases { logger.log(level: level, "\(level)") }
    let shown = ["-i", "Debug,Notice,Error"]
    let usual = [
      "Notice shop.cart: info", "Notice shop.cart: notice", "Notice shop.cart: warning",
      "Error shop.cart: error", "Error shop.cart: critical",
    ]
    #expect(try log.records(shown) == usual)
    logger.logLevel = .trace
    logger.trace("trace")
    logger.debug("debug")
    let detail = [#"Debug "shop.cart: trace%00""#, #"Debug "shop.cart: debug%00""#]
    #expect(try log.records(shown) == usual + detail)
    logger.logLevel = .critical
    logger.error("no more")
    #expect(try log.records(shown) == usual + detail)
  }

  @Test func `level and metadata belong to the value`() throws {
    let log = try SharedLog()
    var first = Self.logger(log)
    first.logLevel = .debug
    first[metadataKey: "only-on"] = "first"
    var second = first
    second.logLevel = .error
    second[metadataKey: "only-on"] = "second"
    #expect(first.logLevel == .debug && second.logLevel == .error)
    first.info("1")
    second.info("2")
    second.error("3")
    #expect(
      try log.records(["-I", "VCL_Log:only-on"]) == ["VCL_Log only-on: first", "VCL_Log only-on: second"])
  }

  @Test func `queries find messages by level, label and metadata`() throws {
    let log = try SharedLog()
    let logger = Self.logger(log)
    logger.info("one", metadata: ["user": ["id": "7"], "path": "/a b"])
    logger.error("two", metadata: ["user": ["id": "8"]])
    for (query, message) in [
      ("VCL_Log:user.id == 7", "one"), (#"VCL_Log:level eq "error""#, "two"),
      (#"Error:shop.cart ~ "^two$""#, "two"), (#"VCL_Log:path ~ "a b""#, "one"),
      (#"Notice or VCL_Log:user.id > 7 and not Error"#, "one"),
    ] {
      let records = try log.records(["-q", query, "-i", "Notice,Error"])
      #expect(records.map { $0.split(separator: " ").last } == [Substring(message)], "\(query)")
    }
  }

  @Test func `an error and control characters are harmless`() throws {
    let log = try SharedLog()
    Self.logger(log).error(
      "a\nEnd\u{0}b", error: Refusal(),
      metadata: ["k\n": "v\u{1B}\r", "long": "\(String(repeating: "x", count: 1 << 16))"])
    let records = try Self.records(log, ["-X", "VCL_Log:long"])
    #expect(records[1] == #"Error shop.cart: a\nEnd\x00b"#)
    #expect(records.contains(#"VCL_Log k\n: v\x1b\r"#))
    #expect(records.contains(#"VCL_Log error.message: refused\nby peer"#))
    #expect(records.contains { $0.hasPrefix("VCL_Log error.type: ") && $0.hasSuffix("Refusal") })
    #expect(log.writer.statistics.truncations == 1)
  }

  @Test func `deep metadata has an end`() throws {
    let log = try SharedLog()
    let deep = (0..<200).reduce(Logger.MetadataValue.string("bottom")) { value, _ in .dictionary(["d": value])
    }
    Self.logger(log).info("deep", metadata: ["top": deep])
    let records = try log.records(["-I", "VCL_Log:top"])
    #expect(records.count == 1 && records[0].contains("bottom"))
  }

  @Test func `messages of a request's tasks are in its transaction`() async throws {
    let log = try SharedLog()
    let other = try SharedLog()
    let request = AccessLog(log.writer).begin(method: "GET", target: "/r", client: nil)
    let logger = Self.logger(log)
    await request.asCurrent {
      logger.notice("within", metadata: ["tenant": "acme"])
      Self.logger(other).notice("elsewhere")
      async let child: Void = { logger.error("in a child task") }()
      await child
    }
    logger.notice("outside")
    request.asCurrent {
      request.respond(status: 200)
      request.end()
      logger.notice("too late")
    }
    try await onOwnThread { () async throws in
      #expect(try log.lines(["-F", "%U %s %{VCL_Log:tenant}x"]) == ["/r 200 acme"])
      #expect(try log.lines(["-F", "%U", "-q", #"Error:shop.cart ~ "child""#]) == ["/r"])
      let messages = ["-g", "request", "-i", "Notice,Error"]
      #expect(try log.records(messages) == ["Notice shop.cart: within", "Error shop.cart: in a child task"])
      #expect(
        try log.records(["-q", "Begin[1] eq sess", "-i", "Notice"]).sorted()
          == ["Notice shop.cart: outside", "Notice shop.cart: too late"])
      #expect(
        try other.records(["-i", "Begin,Notice"]) == ["Begin sess 0 log", "Notice shop.cart: elsewhere"])
      #expect(try log.records(["-g", "request", "-I", "Timestamp:^Log:"]).count == 2)
    }
  }

  @Test func `a handler can be bound to a request`() throws {
    let log = try SharedLog()
    let request = AccessLog(log.writer).begin(method: "GET", target: "/bound", client: nil)
    let logger = Logger(label: "x") { SpillwayLogHandler(label: $0, writer: log.writer, request: request) }
    logger.info("bound")
    request.end()
    #expect(try log.lines(["-F", "%U", "-q", #"Notice ~ "bound""#]) == ["/bound"])
  }

  @Test(.limit(minutes: 1)) func `a value whose description logs is no deadlock`() throws {
    struct Chatty: CustomStringConvertible, Sendable {
      let logger: Logger
      var description: String {
        logger.info("asked")
        return "told"
      }
    }
    let log = try SharedLog()
    let request = AccessLog(log.writer).begin(method: "GET", target: "/", client: nil)
    let logger = Self.logger(log)
    request.asCurrent {
      logger.info("asking", metadata: ["v": .stringConvertible(Chatty(logger: logger))])
    }
    request.end()
    #expect(try log.records(["-i", "Notice"]) == ["Notice shop.cart: asked", "Notice shop.cart: asking"])
  }
}
