import TestSupport
import Testing

extension LiveSuite {
  /// `spillway stat` on a real instance without traffic, compared with varnishstat.
  @Suite(.needs(.spillway, .program("varnishstat"))) struct StatLiveTests {
    private static let backends = """
      vcl 4.1;
      backend one { .host = "127.0.0.1"; .port = "1"; }
      backend two { .host = "127.0.0.1"; .port = "2"; }
      sub vcl_recv { if (req.url == "/two") { set req.backend_hint = two; } return (synth(200)); }
      """

    /// The output of both programs, taken between two moments at which the counters were the same.
    private static func both(_ arguments: [String]) throws -> (ours: String, theirs: String) {
      let ours = TestSupport.Command(try Subject.found().path, ["stat"] + arguments)
      for _ in 0..<20 {
        let before = try ProcessRunner.run(Command("varnishstat", arguments)).text
        let shown = try ProcessRunner.run(ours).text
        let after = try ProcessRunner.run(Command("varnishstat", arguments)).text
        // Every second, some counters change by themselves.
        if before == after { return (shown, before) }
      }
      throw SupportError("no two moments at which the counters of \(arguments) are the same")
    }

    @Test(arguments: ["-1", "-j", "-l", "-x"])
    func `what is printed is what varnishstat prints`(option: String) async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance(vcl: Self.backends)
        let (ours, theirs) = try Self.both([option, "-n", varnish.directory])
        let isSame = ours == theirs
        #expect(isSame && ours.contains("VBE.boot.two.req"))
      }
    }

    @Test func `200 combinations of patterns pick what varnishstat picks`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance(vcl: Self.backends)
        var random = SeededGenerator(seed: 200)
        let names = try ProcessRunner.run("varnishstat", "-l", "-n", varnish.directory).text
          .split(separator: "\n").dropFirst(3).compactMap { $0.split(separator: " ").first.map(String.init) }
        try #require(names.count > 200)
        for _ in 0..<200 {
          var arguments = [
            "-n", varnish.directory, ["-1", "-j", "-l", "-x"].randomElement(using: &random) ?? "-1",
          ]
          for _ in 0..<Int.random(in: 1...4, using: &random) {
            let option = ["-f", "-I", "-X"].randomElement(using: &random) ?? "-f"
            let exclusion = option == "-f" && Bool.random(using: &random) ? "^" : ""
            arguments += [option, exclusion + Self.pattern(names, &random)]
          }
          let (ours, theirs) = try Self.both(arguments)
          let isSame = ours == theirs
          try #require(isSame, "\(arguments); \(random)")
        }
      }
    }

    /// A name, with patterns in place of some of its parts.
    private static func pattern(_ names: [String], _ random: inout SeededGenerator) -> String {
      var pattern = ""
      for character in names.randomElement(using: &random) ?? "" {
        switch Int.random(in: 0..<24, using: &random) {
        case 0: pattern += "*"
        case 1: pattern += "?"
        case 2: pattern += "[a-\(character)]"
        case 3: pattern += "[!\(character)]"
        case 4: return pattern + "*"
        case 5: pattern += "\\\(character)"
        case 6: pattern += "[[:alpha:]_.]"
        case 7 where pattern.isEmpty: pattern = "*"
        default: pattern.append(character)
        }
      }
      return pattern
    }

    @Test func `backends come and go with their VCL, and a worker's counters with the worker`() async throws {
      try await onOwnThread {
        let varnish = try VarnishInstance(vcl: Self.backends)
        func names() throws -> Set<Substring> {
          let text = try ProcessRunner.run(
            TestSupport.Command(
              try Subject.found().path, ["stat", "-l", "-I", "VBE.*.req", "-n", varnish.directory])
          ).text
          return Set(text.split(separator: "\n").dropFirst(3).compactMap { $0.split(separator: " ").first })
        }
        #expect(try names() == ["VBE.boot.one.req", "VBE.boot.two.req"])
        let vcl = #""vcl 4.1; backend late { .host = \"127.0.0.1\"; .port = \"3\"; }""#
        for round in 0..<4 {
          try varnish.administer("vcl.inline", "v\(round)", vcl)
          #expect(try names() == ["VBE.boot.one.req", "VBE.boot.two.req", "VBE.v\(round).late.req"[...]])
          try varnish.administer("vcl.discard", "v\(round)")
          let isGone = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
            (try? names().count) == 2
          }
          #expect(isGone)
        }
        try varnish.stopWorker()
        #expect(try names().isEmpty)
        try varnish.startWorker()
        #expect(try names() == ["VBE.boot.one.req", "VBE.boot.two.req"])
      }
    }
  }
}
