/// Reads the `Accept` field of an HTTP request for metrics.
enum AcceptedForms {
  /// The form to send to a client: OpenMetrics if the client accepts it and doesn't prefer text; text
  /// otherwise, also if the field is empty or accepts neither form.
  static func best(_ accept: String) -> Exposition.Form {
    var (openMetrics, text, other) = (0.0, nil as Double?, 0.0)
    for range in accept.split(separator: ",") {
      let parts = range.split(separator: ";").map { trimmed($0).lowercased() }
      let parameters = parts.dropFirst().map { $0.split(separator: "=", maxSplits: 1).map { trimmed($0) } }
      func parameter(_ name: String) -> String? {
        parameters.first { $0.count == 2 && $0[0] == name }.map { String($0[1]) }
      }
      let quality = parameter("q").map { Double($0) ?? 0 } ?? 1
      switch parts.first {
      case "application/openmetrics-text" where ["1.0.0", nil].contains(parameter("version")):
        openMetrics = max(openMetrics, quality)
      case "text/plain": text = max(text ?? 0, quality)
      case "text/*", "*/*": other = max(other, quality)
      default: break
      }
    }
    return openMetrics > 0 && openMetrics >= text ?? other ? .openMetrics : .text
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let text = text.drop { $0 == " " || $0 == "\t" || $0 == "\"" }
    return String(text.reversed().drop { $0 == " " || $0 == "\t" || $0 == "\"" }.reversed())
  }
}
