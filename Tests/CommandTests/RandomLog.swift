import Shipping
import TestSupport
import VarnishLog

/// Makes up logs that no server would write.
enum RandomLog {
  /// The records of a few transactions, in pieces and mixed.
  static func records(_ random: inout SeededGenerator) -> [SampleRecord] {
    let groups = Bool.random(using: &random)
    var queues = (2...Int.random(in: 2...7, using: &random)).map { vxid in
      Self.transaction(UInt64(vxid), linking: groups, &random)
    }
    if groups, Bool.random(using: &random) { queues.append(session(&random)) }
    if Int.random(in: 0..<4, using: &random) == 0 {
      queues.append([SampleRecord(0, .none, "CLI", "Rd ping"), SampleRecord(0, .none, "CLI", "Wr 200 PONG")])
    }
    var records: [SampleRecord] = []
    while !queues.isEmpty {
      let index = Int.random(in: queues.indices, using: &random)
      let count = Int.random(in: 1...12, using: &random)
      records += queues[index].prefix(count)
      queues[index].removeFirst(min(count, queues[index].count))
      if queues[index].isEmpty { queues.remove(at: index) }
    }
    return records
  }

  // MARK: Records

  private static func transaction(
    _ vxid: UInt64, linking: Bool, _ random: inout SeededGenerator
  ) -> [SampleRecord] {
    let isBackend = Int.random(in: 0..<3, using: &random) == 0
    let side: SampleRecord.Side = isBackend ? .backend : .client
    var records = [
      SampleRecord(vxid, side, "Begin", begin(isBackend: isBackend, linking, vxid, &random))
    ]
    let hasStart = Int.random(in: 0..<5, using: &random) > 0
    if hasStart {
      records.append(SampleRecord(vxid, side, "Timestamp", "Start: \(pick(times, &random)) 0 0"))
    }
    for _ in 0..<Int.random(in: 0..<30, using: &random) {
      let (tag, values) = pick(contents, &random)
      let mine = Int.random(in: 0..<12, using: &random) > 0
      let marker = mine ? side : pick([.client, .backend, .none], &random)
      var bytes = Array(pick(values, &random).utf8)
      if Int.random(in: 0..<6, using: &random) == 0 { spoil(&bytes, &random) }
      // With a byte from 128 on, the reference reads behind the end of a table.
      if bytes.starts(with: Array("Authorization".utf8)) || bytes.starts(with: Array("authorization".utf8)) {
        bytes = bytes.map { $0 & 0x7F }
      }
      // The reference reads past the end of these two if they have no NUL.
      let needsNUL = tag == "VCL_call" || tag == "VCL_return"
      let terminated = Int.random(in: 0..<12, using: &random) > 0 || needsNUL
      // The reference drops the last byte in place of the NUL; if nothing were left then, a regular
      // expression would see the bytes behind the record.
      if !terminated { bytes += Array("zz".utf8) }
      records.append(
        SampleRecord(
          vxid, marker, tag: SampleTags.v7[tag], bytes: bytes, terminated: terminated))
    }
    if linking {
      for _ in 0..<Int.random(in: 0..<3, using: &random) {
        let child = vxid + UInt64.random(in: 1...2, using: &random)
        let word = pick(["bereq", "req"], &random)
        let reason = pick(["fetch", "esi", "restart", "pass"], &random)
        let index = Int.random(in: 1...records.count, using: &random)
        records.insert(SampleRecord(vxid, side, "Link", "\(word) \(child) \(reason)"), at: index)
      }
    }
    if Int.random(in: 0..<10, using: &random) > 0 { records.append(SampleRecord(vxid, side, "End")) }
    switch Int.random(in: 0..<12, using: &random) {
    case 0:
      // Records behind the end, or the beginning of another transaction with the same number.
      let word = pick(["req 1 rxreq", "bereq 2 fetch", "sess 0 HTTP/1"], &random)
      records.append(SampleRecord(vxid, side, "Begin", word))
      records.append(SampleRecord(vxid, side, "VCL_Log", "k:again"))
      if Bool.random(using: &random) { records.append(SampleRecord(vxid, side, "End")) }
    case 1:
      let index = Int.random(in: 1...records.count, using: &random)
      records.insert(SampleRecord(vxid, side, "Begin", "req 1 rxreq"), at: index)
    case 2:
      let bytes = (0..<Int.random(in: 300...9000, using: &random)).map { UInt8($0 & 15 + 0x61) }
      let index = Int.random(in: 1...records.count, using: &random)
      records.insert(SampleRecord(vxid, side, tag: SampleTags.v7["VCL_Log"], bytes: bytes), at: index)
    default: break
    }
    return records
  }

  private static func session(_ random: inout SeededGenerator) -> [SampleRecord] {
    var records = [
      SampleRecord(1, .client, "Begin", pick(["sess 0 HTTP/1", "sess 0 PROXY", "sess 9 HTTP/1"], &random)),
      SampleRecord(1, .client, "SessOpen", "192.0.2.7 51234 a0 192.0.2.1 80 1700000000.123456 20"),
    ]
    for child in 2...Int.random(in: 2...5, using: &random) {
      records.append(SampleRecord(1, .client, "Link", "req \(child) rxreq"))
    }
    records.append(SampleRecord(1, .client, "SessClose", "RX_TIMEOUT 5.003"))
    if Int.random(in: 0..<6, using: &random) > 0 { records.append(SampleRecord(1, .client, "End")) }
    return records
  }

  private static func begin(
    isBackend: Bool, _ linking: Bool, _ vxid: UInt64, _ random: inout SeededGenerator
  ) -> String {
    let parent = linking && vxid > 2 ? vxid - UInt64.random(in: 1...2, using: &random) : 1
    if isBackend { return "bereq \(parent) \(pick(["fetch", "pass", "retry", "bgfetch"], &random))" }
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return "req \(parent) esi"
    case 1: return "req \(parent) restart"
    case 2:
      return pick(
        [
          "req 1", "req  7   rxreq  ", "foo 1 rxreq", "req 1 rxreq 1", "sess 0 HTTP/1", "req x rxreq",
          "reqqqqqqqqqqqqqqqqqqq 1 a", "req 1 blah",
        ], &random)
    default: return "req 1 rxreq"
    }
  }

  private static func spoil(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    let odd: [UInt8] = [0, 1, 9, 10, 11, 12, 13, 0x20, 0x22, 0x5C, 0x7F, 0x80, 0xC3, 0xFF, 0x3F, 0x3A]
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let index = Int.random(in: 0...bytes.count, using: &random)
      bytes.insert(pick(odd, &random), at: index)
    }
  }

  private static func pick<Element>(
    _ choices: [Element], _ random: inout SeededGenerator
  ) -> Element {
    choices[Int.random(in: choices.indices, using: &random)]
  }

  private static let times = [
    "1700000000.123456", "1700000000.999999", "0", "1", "1.7e9", "0x10", "17x", "", "-3.5", ".5",
    "1700000000", "1700000001.000000", "1234567890.5", "99999999999", "1700000000.1234567890123",
  ]

  private static let contents: [(String, [String])] = {
    let headers = [
      "Host: example.com", "Host: other", "Host:nospace", "host: http://x", "Host:", "HOST:   a b  ",
      "X: y", "X : y", "X", "x:z", "X:  \t tab\t", "X: \"quoted\\\"", "Xy: no", "Referer: http://r/",
      "User-Agent: UA/1.0", "user-agent: second", ": empty", ":", "",
      "Authorization: Basic dXNlcjpwYXNz", "Authorization: basic  YTpi ", "Authorization: Basic dXNlcg",
      "Authorization: Basic d", "Authorization: Basic dX", "authorization: Bearer x",
      "Authorization: Basic", "Authorization: Basic ====", "Authorization: Basic /+8AAWE6eA==",
    ]
    let phases = [
      "Start", "Req", "Fetch", "Process", "Resp", "Beresp", "BerespBody", "Pipe", "PipeSess", "start", "RESP",
    ]
    let stamps = phases.flatMap { phase in
      ["1700000000.623456 1.500000 1.390000", "1 0.5 0", "zz 1 1", "5", "", " 1700000003  2.5 1"].map {
        "\(phase): \($0)"
      }
    }
    return [
      ("ReqStart", ["192.0.2.7 51234 a0", "::1 1 a0", "", " x", "10.0.0.1"]),
      ("ReqMethod", ["GET", "POST", "", "  ", "G\"T"]),
      ("ReqURL", ["/", "/a?b", "?", "", "/a??b?c", "http://h/a?c", "/ö \"x\""]),
      ("ReqProtocol", ["HTTP/1.1", "HTTP/2.0", "", " a "]),
      ("ReqHeader", headers), ("ReqHeader", headers), ("ReqUnset", headers),
      ("RespHeader", headers), ("RespUnset", headers), ("BereqHeader", headers),
      ("BerespHeader", headers), ("BereqUnset", headers),
      ("RespStatus", ["200", "404", "", "x y"]), ("BerespStatus", ["200", "503", ""]),
      ("BereqMethod", ["GET", ""]), ("BereqURL", ["/b?c", ""]), ("BereqProtocol", ["HTTP/1.0"]),
      ("ReqAcct", ["1 2 3 4 5 6", "1 2 3", "", "11 12 13 14 15 16"]),
      ("BereqAcct", ["1 2 3 4 5 6", "7 8 9"]), ("PipeAcct", ["84 149 7 8", "84 149 7", ""]),
      ("Timestamp", stamps), ("Timestamp", stamps),
      (
        "VCL_call",
        [
          "RECV", "HIT", "MISS", "PASS", "SYNTH", "pipe", "DELIVER", "BACKEND_RESPONSE", "hit", "error",
          "MISS ",
        ]
      ),
      ("VCL_return", ["lookup", "fetch", "pipe", "deliver", "PIPE", "Restart"]),
      ("VCL_Log", ["k:v", "k: v two ", "K:v", "k", " k:v", ":x", "key:a:b", "k:"]),
      ("BackendOpen", ["20 be 127.0.0.1 80 127.0.0.1 5000", "20 be 127.0.0.2", "20 be", ""]),
      ("BackendStart", ["127.0.0.9 80"]), ("HitMiss", ["5 1.0"]), ("HitPass", ["5 1.0"]),
      ("HttpGarbage", ["x"]), ("Hash", ["ab", "c d"]), ("Debug", ["x"]), ("Length", ["5"]),
      ("TTL", ["RFC 10 10 0 1700000000"]), ("H2RxHdr", ["\u{0}\u{1}ab", "x"]), ("H2TxBody", ["\u{7F}"]),
      ("VCL_use", ["boot"]), ("ReqStatus", ["200"]), ("VSL", ["timeout"]), ("FetchError", ["a b c"]),
    ]
  }()
}
