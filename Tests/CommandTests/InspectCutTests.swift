import TestSupport
import Testing

/// The output of `spillway inspect` for records that a server has cut.
@Suite(.needs(.spillway))
struct InspectCutTests {
  /// Adds an HTTP/1 request as a server records it: all bytes are counted, but only a part of each record is
  /// kept.
  private static func add(
    _ number: UInt64, url: String, headers: [String], proto: String = "HTTP/1.1", to log: inout LogFileBuilder
  ) {
    func kept(_ text: String) -> String { String(text.prefix(254)) }
    log.add(number, .client, "Begin", "req 1 rxreq")
    log.add(number, .client, "ReqMethod", "GET")
    log.add(number, .client, "ReqURL", kept(url))
    log.add(number, .client, "ReqProtocol", proto)
    for header in headers { log.add(number, .client, "ReqHeader", kept(header)) }
    log.add(number, .client, "ReqHeader", "X-Forwarded-For: 192.0.2.1")
    log.add(number, .client, "VCL_call", "RECV")
    log.add(number, .client, "ReqHeader", "X-Added: by the configuration")
    let received = "GET \(url) \(proto)\r\n" + headers.map { $0 + "\r\n" }.joined() + "\r\n"
    log.add(number, .client, "ReqAcct", "\(received.utf8.count) 0 \(received.utf8.count) 0 0 0")
    log.add(number, .client, "End")
  }

  private static func cuts(_ log: LogFileBuilder) throws -> [String: [String: Any]] {
    let folder = try TemporaryDirectory()
    try log.write(to: folder.file("log.vsl"))
    let json = try InspectTests.document([folder.file("log.vsl")])
    let cut = try #require(json["cut"] as? [String: Any])
    #expect(cut["parameter"] as? String == "vsl_reclen" && cut["limit"] as? Int == 255)
    return try #require(cut["tags"] as? [String: [String: Any]])
  }

  private static func text(_ byteCount: Int) -> String { String(repeating: "x", count: byteCount) }

  @Test func `what a request's bytes leave over tells how long the record was`() throws {
    var log = LogFileBuilder()
    Self.add(2, url: "/", headers: ["Host: a"], to: &log)
    Self.add(4, url: "/" + Self.text(611), headers: ["Host: a"], to: &log)
    Self.add(6, url: "/", headers: ["Cookie: " + Self.text(500)], to: &log)
    // The maximum length of a record.
    Self.add(8, url: "/" + Self.text(253), headers: ["Host: a"], to: &log)
    let cuts = try Self.cuts(log)
    // Including the NUL.
    #expect(cuts["ReqURL"]?["records"] as? Int == 1 && cuts["ReqURL"]?["enough"] as? Int == 613)
    #expect(cuts["ReqURL"]?["exact"] as? Bool == true && cuts["ReqURL"]?["unknown"] as? Int == 0)
    #expect(cuts["ReqHeader"]?["records"] as? Int == 1 && cuts["ReqHeader"]?["enough"] as? Int == 509)
  }

  @Test func `of several in one request, what would have held each of them is told`() throws {
    var log = LogFileBuilder()
    Self.add(2, url: "/", headers: ["Host: a"], to: &log)
    Self.add(4, url: "/", headers: ["A: " + Self.text(297), "B: " + Self.text(397)], to: &log)
    let cut = try #require(try Self.cuts(log)["ReqHeader"])
    // 300 and 400 bytes, of which 508 were kept.
    #expect(
      cut["records"] as? Int == 2 && cut["enough"] as? Int == 255 + 192 && cut["exact"] as? Bool == false)
  }

  @Test func `nothing is claimed where nothing tells, or what tells doesn't fit`() throws {
    var log = LogFileBuilder()
    // No request without cut records proves that the count has the expected meaning.
    Self.add(4, url: "/" + Self.text(611), headers: ["Host: a"], to: &log)
    log.add(4, .client, "VCL_Log", Self.text(254))
    for tag in ["ReqURL", "VCL_Log"] {
      let cut = try #require(try Self.cuts(log)[tag])
      #expect(cut["records"] as? Int == 1 && cut["unknown"] as? Int == 1 && cut["enough"] as? Int == nil)
    }
    // HTTP/2 counts the bytes of compressed headers.
    Self.add(6, url: "/", headers: ["Host: a"], to: &log)
    Self.add(8, url: "/", headers: ["C: " + Self.text(500)], proto: "HTTP/2.0", to: &log)
    #expect(try Self.cuts(log)["ReqHeader"]?["unknown"] as? Int == 1)
    #expect(try Self.cuts(log)["ReqURL"]?["enough"] as? Int == 613)
  }
}
