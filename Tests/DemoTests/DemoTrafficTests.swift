import TestSupport
import Testing
import VarnishLog

@Suite("The traffic of spillway demo", .needs(.spillway))
struct DemoTrafficTests {
  @Test("Every transaction has a beginning and an end, and every link leads to one that leads back")
  func groupsAreWhole() async throws {
    try await onOwnThread {
      let records = try DemoLog(requests: 600, seed: 3).records()
      var first: [Int: DemoLog.Record] = [:], last: [Int: DemoLog.Record] = [:]
      var links: Set<String> = [], origins: Set<String> = []
      for record in records {
        first[record.vxid] = first[record.vxid] ?? record
        last[record.vxid] = record
        let words = record.text.split(separator: " ")
        if record.tag == "Link" { links.insert("\(words[0]) \(record.vxid) \(words[1]) \(words[2])") }
        if record.tag == "Begin", words[0] != "sess" {
          origins.insert("\(words[0]) \(words[1]) \(record.vxid) \(words[2])")
        }
      }
      #expect(first.values.allSatisfy { $0.tag == "Begin" })
      #expect(last.values.allSatisfy { $0.tag == "End" })
      #expect(records.count { $0.tag == "Begin" } == first.count)
      #expect(links.count > 1000)
      #expect(links == origins)
    }
  }

  @Test("varnishlog shows the same", .needs(.program("varnishlog")))
  func agreesWithVarnishlog() async throws {
    try await onOwnThread {
      let log = try DemoLog(requests: 500, seed: 11)
      for grouping in ["request", "session", "vxid", "raw"] {
        let ours = try log.log(["-g", grouping])
        let theirs = try log.log(by: "varnishlog", ["-g", grouping])
        #expect(ours.utf8.count > 100_000)
        let isSame = ours == theirs
        #expect(isSame, "-g \(grouping)")
      }
    }
  }

  @Test("An ESI page is shown with its children and their fetches")
  func esi() async throws {
    try await onOwnThread {
      let log = try DemoLog(requests: 400, seed: 2)
      let text = try log.log(["-g", "request", "-q", "Begin ~ \" esi$\" and BereqURL ~ \"^/esi/basket\""])
      let group = text.components(separatedByBlankLine: ()).first ?? ""
      #expect(group.contains("-   Link           req ") && group.contains(" esi\n"))
      #expect(group.contains("\n**  << Request  >>") && group.contains("\n*** << BeReq    >>"))
    }
  }

  @Test("The mix has everything that a cache does", arguments: [1, 8])
  func mix(seed: Int) async throws {
    try await onOwnThread {
      let records = try DemoLog(requests: 800, seed: seed).records()
      let seen = Set(records.map { "\($0.tag) \($0.text.split(separator: " ").last ?? "")" })
      for wanted in [
        "Begin rxreq", "Begin esi", "Begin restart", "Begin fetch", "Begin pass", "Begin pipe", "Begin retry",
        "VCL_call HIT", "VCL_call MISS", "VCL_call PASS", "VCL_call PIPE", "VCL_call SYNTH",
        "VCL_call BACKEND_ERROR", "ReqProtocol HTTP/2.0", "ReqProtocol HTTP/1.1", "RespStatus 200",
        "RespStatus 206", "RespStatus 301", "RespStatus 304", "RespStatus 404", "RespStatus 503",
        "FetchError unhealthy", "RespHeader gzip", "ReqMethod POST",
      ] {
        #expect(seen.contains(wanted), "nothing like \(wanted)")
      }
      let texts = records.filter { $0.tag == "ReqHeader" }.map(\.text)
      let hosts = Set(texts.filter { $0.lowercased().hasPrefix("host:") }.map { $0.dropFirst(6) })
      #expect(hosts.count == 4)
      #expect(texts.contains { $0.contains("日本語") })
      let durations = records.filter { $0.tag == "Timestamp" && $0.text.hasPrefix("Resp:") }
        .compactMap { Double($0.text.split(separator: " ")[2]) }.sorted()
      #expect(durations[durations.count / 2] < 0.1, "most are quick")
      #expect((durations.last ?? 0) > 1, "some are not")
    }
  }
}

extension String {
  /// The parts between empty lines.
  fileprivate func components(separatedByBlankLine: Void) -> [String] {
    var parts = [""]
    for line in split(separator: "\n", omittingEmptySubsequences: false) {
      if line.isEmpty { parts.append("") } else { parts[parts.count - 1] += line + "\n" }
    }
    return parts.filter { !$0.isEmpty }
  }
}
