import Platform

/// Answers HTTP requests for metrics.
struct MetricsDialog: ServerDialog, ~Copyable {
  private var collector: MetricsCollector

  init(_ collector: consuming MetricsCollector) { self.collector = collector }

  mutating func answer(_ received: [UInt8], hasEnded: Bool) -> [UInt8]? {
    // A client that sends nothing only checks whether a server listens.
    if hasEnded, received.isEmpty { return [] }
    switch HTTPRequest(received, hasEnded: hasEnded) {
    case .incomplete: return nil
    case .refused(let status): return status.response
    case .document("/metrics", let accept, let isHead):
      let form = AcceptedForms.best(accept)
      return HTTPStatus.fine.response(collector.exposition(form), form.contentType, isHead: isHead)
    case .document("/", _, let isHead):
      return HTTPStatus.fine.response(Self.page, "text/html; charset=utf-8", isHead: isHead)
    case .document: return HTTPStatus.notFound.response
    }
  }

  mutating func answer(_ refusal: ServerRefusal) -> [UInt8] {
    switch refusal {
    case .tooMany: HTTPStatus.busy.response
    case .tooLate: HTTPStatus.timedOut.response
    case .tooLong: HTTPStatus.headTooLarge.response
    }
  }

  private static let page = Array(
    "<!DOCTYPE html><title>Spillway</title><p>Spillway: <a href=\"/metrics\">metrics</a></p>\n".utf8)
}
