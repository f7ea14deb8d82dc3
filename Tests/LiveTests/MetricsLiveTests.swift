import Glibc
import TestSupport
import Testing

extension LiveSuite {
  /// Metrics of a real cache in front of a real origin, read by a real Prometheus.
  @Suite(.needs(.spillway, .program("prometheus"))) struct MetricsLiveTests {
    /// A cache with a probed backend, and a program that follows its log and counters.
    private struct Stage {
      let origin: VarnishInstance
      let cache: VarnishInstance
      let run: ChildProcess
      let port: UInt16

      init(_ home: TemporaryDirectory) throws {
        origin = try VarnishInstance()
        cache = try VarnishInstance(
          vcl: """
            vcl 4.1;
            backend origin {
              .host = "127.0.0.1"; .port = "\(origin.port)";
              .probe = { .url = "/probed"; .interval = 1s; .initial = 8; }
            }
            sub vcl_recv { if (req.url ~ "^/pass") { return (pass); } }

            """)
        let settings = """
          input: {instance: \(cache.directory)}
          outputs:
            access: {file: \(home.file("access")), format-text: '%U', spool-dir: \(home.file("spool"))}
            numbers: {metrics: {listen: '127.0.0.1:0'}}

          """
        try writeFile(home.file("run.yaml"), settings.utf8)
        run = try ChildProcess(
          TestSupport.Command(try Subject.found().path, ["run", "--config", home.file("run.yaml")]))
        let line = try run.errorOutput?.line(containing: "metrics are at", by: .after(.seconds(30))) ?? ""
        port = try #require(line.split(separator: ":").last.flatMap { UInt16($0) })
        let follows = try poll(until: .after(.seconds(20))) { [port] () throws(SupportError) in
          try MetricsText(try WebAnswer.get("/metrics", port: port).text)[
            "spillway_log_state", ["state": "reading"]] == 1
        }
        try #require(follows)
      }

      func scrape() throws(SupportError) -> MetricsText {
        try MetricsText(try WebAnswer.get("/metrics", port: port).text)
      }
    }

    /// A Prometheus that scrapes every second.
    private struct Prometheus {
      let process: ChildProcess
      private let port: UInt16

      init(_ home: TemporaryDirectory, scraping target: UInt16) throws {
        port = try freePort()
        let settings = """
          global: {scrape_interval: 1s, evaluation_interval: 1s}
          rule_files: ['\(MetricsLiveTests.dashboards)/alerts.yml']
          scrape_configs:
            - job_name: varnish
              static_configs: [{targets: ['127.0.0.1:\(target)']}]

          """
        try writeFile(home.file("prometheus.yml"), settings.utf8)
        process = try ChildProcess(
          TestSupport.Command(
            "prometheus",
            [
              "--config.file=\(home.file("prometheus.yml"))", "--storage.tsdb.path=\(home.file("data"))",
              "--web.listen-address=127.0.0.1:\(port)", "--log.level=error",
            ]))
      }

      /// The values that a query returns.
      func query(_ text: String) throws(SupportError) -> [Double] {
        let encoded = text.utf8.map { byte in
          (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            ? String(UnicodeScalar(byte))
            : "%" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
        let answer = try WebAnswer.get("/api/v1/query?query=\(encoded)", port: port)
        guard answer.status == 200, answer.text.contains(#""status":"success""#) else {
          throw SupportError("\(text): \(answer.text)")
        }
        return answer.text.matches(of: /"value":\[[0-9.]+,"([^"]+)"\]/).map { Double($0.output.1) ?? .nan }
      }

      /// Repeats a query until it has a value; Prometheus may not even listen at first.
      func wait(for text: String, toBe value: Double) throws {
        let isThere = try poll(until: .after(.seconds(60))) { (try? query(text)) == [value] }
        try #require(
          isThere, "\(text): \(String(describing: try? query(text))); \(process.errorOutput?.text ?? "")")
      }
    }

    private static let dashboards =
      #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
      + "/Dashboards"

    private static func freePort() throws -> UInt16 {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let result = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
        }
      }
      try #require(result == 0)
      return UInt16(bigEndian: address.sin_port)
    }

    @Test func `Prometheus's quantiles are the exact ones within a bucket, and what is shown is there`()
      async throws
    {
      try await onOwnThread {
        let home = try TemporaryDirectory()
        let stage = try Stage(home)
        let prometheus = try Prometheus(home, scraping: stage.port)
        for prefix in ["load", "load", "pass"] {
          let plan = LoadPlan(port: stage.cache.port, prefix: prefix, count: 1500, ratePerSecond: 1500)
          let report = try LoadClient.run(plan)
          #expect(report.answeredCount == 1500)
        }
        try prometheus.wait(for: "sum(spillway_requests_total)", toBe: 4500)
        try prometheus.wait(for: "up", toBe: 1)
        func exact(_ side: String, _ format: String) throws -> [[Substring]] {
          let arguments = ["ncsa", "-n", stage.cache.directory, "-d", side, "-F", format]
          return try ProcessRunner.run(TestSupport.Command(try Subject.found().path, arguments)).text
            .split(separator: "\n").map { $0.split(separator: " ") }
        }
        let requests = try exact("-c", "%{Varnish:handling}x %D %{Varnish:time_firstbyte}x")
        #expect(requests.count == 4500)
        let bounds = try Set(
          stage.scrape().all("spillway_request_duration_seconds_bucket").compactMap {
            Double($0.labels["le"] ?? "")
          }
        ).sorted()
        for handling in ["hit", "miss", "pass"] {
          let ofHandling = requests.filter { $0[0] == handling }
          try #require(ofHandling.count > 500)
          try Self.compare(
            prometheus, "spillway_request_duration_seconds_bucket{handling=\"\(handling)\"}", bounds,
            ofHandling.map { (Double($0[1]) ?? 0) / 1e6 })
          try Self.compare(
            prometheus, "spillway_request_first_byte_seconds_bucket{handling=\"\(handling)\"}", bounds,
            ofHandling.map { Double($0[2]) ?? 0 })
        }
        let fetches = try exact("-b", "%D %s")
        try #require(fetches.count > 2000)
        try Self.compare(
          prometheus, "spillway_fetch_duration_seconds_bucket{backend=\"origin\"}", bounds,
          fetches.map { (Double($0[0]) ?? 0) / 1e6 })
        try Self.checkDashboard(prometheus, try stage.scrape())
        #expect(try prometheus.query("varnish_backend_up{backend=\"origin\"}") == [1])
        #expect(try stage.run.terminate(by: .after(.seconds(30))).status == 0)
        prometheus.process.signal(SIGTERM)
      }
    }

    /// Compares quantiles with the exact ones: both must lie in the same bucket.
    private static func compare(
      _ prometheus: Prometheus, _ buckets: String, _ bounds: [Double], _ times: [Double]
    ) throws {
      let sorted = times.sorted()
      for quantile in [0.1, 0.5, 0.9, 0.99, 0.999] {
        let rank = Int((quantile * Double(sorted.count)).rounded(.up))
        let exact = sorted[max(0, rank - 1)]
        let found = try prometheus.query("histogram_quantile(\(quantile), sum by (le) (\(buckets)))")
        let value = try #require(found.first)
        let upper = bounds.first { $0 >= exact } ?? .infinity
        let lower = bounds.last { $0 < exact } ?? 0
        #expect(lower <= value && value <= upper, "\(buckets) \(quantile): \(value), and exactly \(exact)")
      }
    }

    /// Checks that all metrics of the dashboard and the alerts exist and have values.
    private static func checkDashboard(_ prometheus: Prometheus, _ scrape: MetricsText) throws {
      let dashboard = try readText(dashboards + "/grafana.json")
      let names = Set(scrape.samples.map(\.name))
      for text in [dashboard, try readText(dashboards + "/alerts.yml")] {
        for name in text.matches(of: /(spillway|varnish)_[a-z0-9_]+/) {
          #expect(names.contains(String(name.output.0)), "\(name.output.0)")
        }
      }
      let expressions = dashboard.matches(of: /"expr": "((?:[^"\\]|\\.)*)"/).map { found in
        String(found.output.1).replacing("\\\"", with: "\"").replacing("$__rate_interval", with: "30s")
          .replacing("$job", with: ".*").replacing("$instance", with: ".*")
      }
      #expect(expressions.count > 30)
      for expression in expressions {
        // A rate needs two scrapes; and losses are shown only if there are any.
        let isThere = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
          try !prometheus.query(expression).isEmpty || expression.hasSuffix("> 0")
        }
        #expect(isThere, "\(expression)")
      }
      #expect(try prometheus.query("count(ALERTS{alertname!=\"VarnishBackendDown\"}) or vector(0)") == [0])
    }

    @Test func `counters are those of stat, of the server that is there now`() async throws {
      try await onOwnThread {
        let home = try TemporaryDirectory()
        let stage = try Stage(home)
        let stat = TestSupport.Command(
          try Subject.found().path, ["stat", "-n", stage.cache.directory, "-j", "-X", "*.uptime"])
        var differences = ["none was held against another"]
        // Some counters change by themselves, so this is tried until they didn't.
        let isSame = try poll(until: .after(.seconds(30))) { () throws(SupportError) in
          let before = try ProcessRunner.run(stat).text
          let text = try stage.scrape()
          guard try Self.timeless(ProcessRunner.run(stat).text) == Self.timeless(before) else { return false }
          differences = text.differences(fromStat: before)
          return differences.isEmpty && before.contains("VBE.boot.origin.req")
        }
        #expect(isSame, "\(differences)")
        try stage.cache.stopWorker()
        let stopped = try stage.scrape()
        #expect(stopped.all("varnish_backend_req").isEmpty && stopped.all("varnish_main_client_req").isEmpty)
        try stage.cache.startWorker()
        let isBack = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
          try stage.scrape().all("varnish_backend_req").count == 1
        }
        #expect(isBack)
        let vcl = #""vcl 4.1; backend late { .host = \"127.0.0.1\"; .port = \"3\"; }""#
        for round in 0..<4 {
          try stage.cache.administer("vcl.inline", "v\(round)", vcl)
          let backends = try stage.scrape().all("varnish_backend_req").compactMap { $0.labels["backend"] }
          #expect(backends.sorted() == ["origin", "v\(round).late"])
          try stage.cache.administer("vcl.discard", "v\(round)")
          let isGone = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
            try stage.scrape().all("varnish_backend_req").count == 1
          }
          #expect(isGone)
        }
        try stage.cache.stop()
        let isDown = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
          let text = try stage.scrape()
          return text["varnish_up"] == 0 && text.samples.allSatisfy { !$0.name.hasPrefix("varnish_main") }
        }
        #expect(isDown)
        #expect(try stage.run.terminate(by: .after(.seconds(30))).status == 0)
      }
    }

    private static func timeless(_ json: String) -> String {
      json.replacing(/"timestamp": "[^"]*"/, with: "")
    }
  }
}
