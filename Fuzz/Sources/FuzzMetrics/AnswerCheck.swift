import FuzzSupport

/// The requirements for the answer to any request: nothing in it comes from the client.
enum AnswerCheck {
  private static let types = [
    "text/plain; version=0.0.4; charset=utf-8", "application/openmetrics-text; version=1.0.0; charset=utf-8",
    "text/html; charset=utf-8", "text/plain; charset=utf-8",
  ]
  private static let statusLines = [
    200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
  ]

  /// The status.
  static func examine(_ answer: [UInt8]) -> Int {
    let text = String(decoding: answer, as: UTF8.self).unicodeScalars
    var lines: [String] = []
    var rest = text[...]
    while let end = rest.firstIndex(of: "\r") {
      let line = String(rest[..<end])
      rest = rest[end...].dropFirst(2)
      if line.isEmpty { break }
      lines.append(line)
    }
    let body = String(rest)
    guard let first = lines.first,
      let status = statusLines.keys.first(where: { first == "HTTP/1.1 \($0) \(statusLines[$0] ?? "")" })
    else { violated("no status: \(lines)") }
    var fields: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ": ", maxSplits: 1).map { String($0) }
      guard parts.count == 2, fields.updateValue(parts[1], forKey: parts[0]) == nil else {
        violated("no field, or another of its name: \(line)")
      }
    }
    require(types.contains(fields["Content-Type"] ?? ""), "a type that isn't served")
    require(fields["Connection"] == "close" && fields["Cache-Control"] == "no-store", "other fields")
    require(fields["Allow"] == (status == 405 ? "GET, HEAD" : nil), "other methods")
    require(fields.count == (status == 405 ? 5 : 4), "more fields than there are")
    // HEAD has no body.
    require(
      fields["Content-Length"] == "\(body.utf8.count)" || body.isEmpty && status == 200, "another length")
    require(status == 200 || body == "\(statusLines[status] ?? "")\n", "another text than the status")
    return status
  }
}
