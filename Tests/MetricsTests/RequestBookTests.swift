@testable import Metrics
import TestSupport
import Testing

/// The counts of requests.
struct RequestBookTests {
  private static func line(
    host: String = "www.example.com", method: String = "GET", status: String = "200",
    handling: String = "hit", backend: String = "-", microseconds: String = "1500",
    first: String = "0.001000",
    side: String = "c"
  ) -> String {
    [side, host, method, status, handling, backend, microseconds, first, "100", "2000"].joined(
      separator: "\t")
      + "\n"
  }

  private static func count(_ lines: [String], _ change: (inout RequestSettings) -> Void = { _ in }) throws
    -> MetricsText
  {
    var settings = RequestSettings()
    change(&settings)
    var book = RequestBook(settings)
    for line in lines { Array(line.utf8).withUnsafeBytes { book.count($0) } }
    let text = try MetricsText(
      String(decoding: Exposition.bytes(of: book.families, .text), as: UTF8.self))
    try text.checkHistograms()
    return text
  }

  @Test func `a request is counted under its labels, with its times and bytes`() throws {
    let text = try Self.count([
      Self.line(), Self.line(host: "WWW.Example.com:8080", microseconds: "250001", first: "-"),
      Self.line(status: "404", handling: "synth"),
      Self.line(handling: "fetch", backend: "boot.origin", microseconds: "-", side: "b"),
    ])
    let hits = ["host": "www.example.com", "method": "GET", "status": "2xx", "handling": "hit"]
    #expect(text["spillway_requests_total", hits] == 2)
    #expect(text["spillway_request_duration_seconds_sum", hits] == 0.251501)
    #expect(text["spillway_request_duration_seconds_bucket", hits.merging(["le": "0.0025"]) { $1 }] == 1)
    #expect(text["spillway_request_duration_seconds_bucket", hits.merging(["le": "0.25"]) { $1 }] == 1)
    #expect(text["spillway_request_duration_seconds_bucket", hits.merging(["le": "0.5"]) { $1 }] == 2)
    #expect(text["spillway_request_first_byte_seconds_count", hits] == 1)
    #expect(text["spillway_request_received_bytes_total", hits] == 200)
    #expect(text["spillway_request_sent_bytes_total", hits] == 4000)
    #expect(text["spillway_requests_total", ["status": "4xx", "handling": "synth"]] == 1)
    let fetch = try #require(text.all("spillway_fetches_total").first)
    #expect(
      fetch.labels == [
        "host": "www.example.com", "method": "GET", "status": "2xx", "backend": "origin",
      ])
    #expect(text["spillway_fetch_duration_seconds_count"] == 0)
    #expect(text["spillway_label_sets"] == 3)
  }

  @Test func `only the labels that are asked for are there`() throws {
    let lines = [Self.line(), Self.line(host: "b", method: "POST", status: "500"), Self.line(side: "b")]
    let text = try Self.count(lines) { $0.labels = [.status] }
    #expect(text.all("spillway_requests_total").map(\.labels) == [["status": "2xx"], ["status": "5xx"]])
    #expect(
      text.all("spillway_folded_transactions_total").compactMap { $0.labels["label"] } == ["status", "sets"])
    let none = try Self.count(lines) { $0.labels = [] }
    #expect(none["spillway_requests_total"] == 2 && none["spillway_fetches_total"] == 1)
  }

  @Test func `values beyond the limit of a label are counted as other, and how many`() throws {
    let lines = (0..<50).map { Self.line(host: "host\($0 % 25)") } + [Self.line(host: "other")]
    let text = try Self.count(lines) { $0.valuesMax = 10 }
    let hosts = Set(text.all("spillway_requests_total").compactMap { $0.labels["host"] })
    // Half of the values are reserved for hosts that occur often.
    #expect(hosts == Set((0..<5).map { "host\($0)" } + ["other"]))
    // A host that clients call `other` doesn't count as a value of its own.
    #expect(text["spillway_requests_total", ["host": "other"]] == 41)
    #expect(text["spillway_folded_transactions_total", ["label": "host"]] == 40)
    #expect(text.sum("spillway_requests_total") == 51)
  }

  @Test func `hosts that come often are counted, though made-up ones came before and come in between`() throws
  {
    var made = 0
    func madeUp(_ count: Int) -> [String] {
      (0..<count).map { _ in
        made += 1
        return Self.line(host: "made-up-\(made)")
      }
    }
    let real = (0..<10).map { "site\($0)" }
    var lines = madeUp(10_000)
    for _ in 0..<100 { lines += real.map { Self.line(host: $0) } + madeUp(100) }
    let text = try Self.count(lines) { $0.valuesMax = 20 }
    let hosts = Set(text.all("spillway_requests_total").compactMap { $0.labels["host"] })
    #expect(hosts.isSuperset(of: real) && hosts.count == 21)
    for host in real {
      // All requests of the host except those by which it was found to occur often, and a few more if made-up
      // hosts interfered.
      let count = try #require(text["spillway_requests_total", ["host": host]])
      #expect((50...100 - Double(LabelCandidates.countMin - 1)).contains(count), "\(host)")
    }
    #expect(text.sum("spillway_requests_total") == Double(lines.count))
  }

  @Test func `no more values than the limit are counted, however often others come`() throws {
    let lines = (0..<100).flatMap { host in (0..<50).map { _ in Self.line(host: "h\(host)") } }
    let text = try Self.count(lines) { $0.valuesMax = 7 }
    let hosts = Set(text.all("spillway_requests_total").compactMap { $0.labels["host"] })
    #expect(hosts == Set((0..<7).map { "h\($0)" } + ["other"]))
    #expect(text["spillway_requests_total", ["host": "h0"]] == 50)
    #expect(text["spillway_requests_total", ["host": "h6"]] == 41)
    #expect(text.sum("spillway_requests_total") == 5000)
  }

  @Test func `sets beyond the limit of all are counted as other throughout`() throws {
    let lines = (0..<30).flatMap { host in
      ["GET", "POST"].flatMap { method in
        ["c", "b"].map { Self.line(host: "h\(host)", method: method, side: $0) }
      }
    }
    let text = try Self.count(lines) { $0.setsMax = 20 }
    // One set on each side counts the rest.
    #expect(text["spillway_label_sets"] == 22 && text["spillway_label_sets_limit"] == 20)
    let rest = ["host": "other", "method": "other", "status": "other"]
    #expect(text["spillway_requests_total", rest] == 50 && text["spillway_fetches_total", rest] == 50)
    #expect(text["spillway_folded_transactions_total", ["label": "sets"]] == 100)
    #expect(text.sum("spillway_requests_total") == 60 && text.sum("spillway_fetches_total") == 60)
  }

  @Test func `hostile values are one line each, and long ones other`() throws {
    let long = String(repeating: "x", count: 129)
    let text = try Self.count([
      Self.line(host: "a\"b\\x0a} 1", method: "\u{FFFD}{"), Self.line(host: long), Self.line(host: ""),
      Self.line(status: "99999999999"), Self.line(status: "-"), Self.line(host: ":80"),
      Self.line(host: "[::1]:80"),
      Self.line(microseconds: "99999999999999999999", first: "1e400"),
      Self.line(microseconds: "-5", first: "9007199254740992.0"),
    ])
    #expect(text["spillway_requests_total", ["host": "a\"b\\x0a} 1", "method": "\u{FFFD}{"]] == 1)
    #expect(text["spillway_requests_total", ["host": "other"]] == 1)
    #expect(text["spillway_requests_total", ["host": "[::1]"]] == 1)
    #expect(text["spillway_requests_total", ["host": ""]] == 1)
    #expect(text["spillway_requests_total", ["host": ":80"]] == 1)
    #expect(text["spillway_requests_total", ["host": "www.example.com", "status": "other"]] == 2)
    #expect(
      text["spillway_request_duration_seconds_count", ["host": "www.example.com", "status": "2xx"]] == 0)
    #expect(
      text["spillway_request_first_byte_seconds_count", ["host": "www.example.com", "status": "2xx"]] == 0)
  }

  @Test func `what isn't such a line isn't counted`() throws {
    let text = try Self.count([
      "", "\n", "c\n", "c\ta\tb\n", Self.line().replacing("\n", with: "\tmore\n"), "\t\t",
    ])
    #expect(text.all("spillway_requests_total").isEmpty)
  }

  /// A percentile is only as exact as the buckets are wide.
  @Test func `each time lies in the bucket that holds it`() throws {
    var random = SeededGenerator(seed: 9131)
    let times = (0..<5000).map { _ in
      UInt64(exactly: (10 * Double.random(in: 1...1e6, using: &random).squareRoot()).rounded()) ?? 0
    }
    let text = try Self.count(times.map { Self.line(microseconds: "\($0)") })
    for bucket in text.all("spillway_request_duration_seconds_bucket") {
      let bound = bucket.labels["le"] == "+Inf" ? .infinity : try #require(Double(bucket.labels["le"] ?? ""))
      #expect(Int(bucket.value) == times.count { Double($0) <= (bound * 1e6).rounded() })
    }
    let sum = times.reduce(0, +)
    #expect(
      text.all("spillway_request_duration_seconds_sum").first?.text
        == "\(sum / 1_000_000).\("\(sum % 1_000_000 + 1_000_000)".dropFirst())")
  }
}
