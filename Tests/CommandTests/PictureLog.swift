import TestSupport

/// A log of requests for tests of `top` and `hist`: live, or in a file.
struct PictureLog {
  /// A request.
  struct Request {
    var path = "/"
    var host = "www.example.com"
    var isHit = true
    /// The request's duration in microseconds.
    var time = 1000
    var bytes = 500
    /// The request's start in seconds since 1970.
    var start = 1_700_000_000

    func records(_ vxid: UInt64) -> [SampleRecord] {
      let digits = String(time % 1_000_000)
      let fraction = "." + String(repeating: "0", count: 6 - digits.count) + digits
      let seconds = "\(time / 1_000_000)" + fraction
      let end = "\(start + time / 1_000_000)" + fraction
      let lines: [(String, String)] = [
        ("Begin", "req 1 rxreq"), ("Timestamp", "Start: \(start).000000 0.000000 0.000000"),
        ("ReqMethod", "GET"), ("ReqURL", path), ("ReqProtocol", "HTTP/1.1"), ("ReqHeader", "Host: \(host)"),
        ("VCL_call", isHit ? "HIT" : "MISS"), ("RespStatus", "200"),
        ("Timestamp", "Process: \(end) \(seconds) \(seconds)"),
        ("Timestamp", "Resp: \(end) \(seconds) 0.000010"),
        ("ReqAcct", "100 0 100 200 \(bytes) \(bytes + 200)"), ("End", ""),
      ]
      return lines.map { SampleRecord(vxid, .client, $0.0, $0.1) }
    }
  }

  /// Some requests to a few paths, the later ones less frequent and slower.
  static var requests: [Request] {
    (0..<6).flatMap { rank in
      [Request](
        repeating: Request(
          path: "/page/\(rank)", host: "www\(rank % 2).example.com", isHit: rank % 3 != 2,
          time: 300 << (2 * rank)),
        count: 32 >> rank)
    }
  }

  /// Writes requests into a file.
  static func write(_ requests: [Request], to path: String) throws(SupportError) {
    var builder = LogFileBuilder()
    for (number, request) in requests.enumerated() {
      for record in request.records(UInt64(2 + number)) { builder.add(record) }
    }
    try builder.write(to: path)
  }

  /// Logs requests in a live log.
  static func log(_ requests: [Request], _ ring: RingWriter, from vxid: UInt64 = 2) {
    for (number, request) in requests.enumerated() {
      ring.append(batch: request.records(vxid + UInt64(number)))
    }
  }
}
