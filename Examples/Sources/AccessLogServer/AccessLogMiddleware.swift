import HTTPTypes
import Hummingbird
import NIOCore
import SpillwayLogging

/// Writes a transaction for each request.
///
/// Added as a router's first middleware, it sees everything that the others see, but no headers that the
/// server itself adds afterwards, for example `Date`.
struct AccessLogMiddleware: RouterMiddleware {
  typealias Context = ServerContext

  let connections: Connections

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    let record = connections.session(of: context.channel).begin(
      method: request.method.rawValue, target: request.head.path ?? "*")
    // Hummingbird keeps `Host` apart from the other headers.
    if let host = request.head.authority { record.addHeader("Host", host) }
    record.addHeaders(request.headers.lazy.map { (name: $0.name.rawName, value: $0.value) })
    var request = request
    let body = request.body
    // The part that a handler leaves unread isn't counted.
    request.body = RequestBody(
      asyncSequence: body.map { buffer in
        record.received(buffer.readableBytes)
        return buffer
      })
    let response = try await answer(request, context, record, next)
    record.respond(
      status: response.status.code, reason: response.status.reasonPhrase,
      headers: response.headers.lazy.map { (name: $0.name.rawName, value: $0.value) })
    return response.recording(to: record)
  }

  /// The response of the next handler, or the one that is made from the error it throws.
  private func answer(
    _ request: Request, _ context: Context, _ record: AccessLog.Request,
    _ next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await record.asCurrent { try await next(request, context) }
    } catch let error as any HTTPResponseError {
      if error.status.kind == .serverError { record.logError("\(error)") }
      return try error.response(from: request, context: context)
    } catch is CancellationError {
      // The client no longer waits for an answer; the line shows this by having no status.
      record.logError("cancelled")
      throw CancellationError()
    } catch {
      record.logError("\(error)")
      return Response(status: .internalServerError)
    }
  }
}

extension Response {
  /// The response with a body that counts its bytes and ends the request when it has been sent or can't be
  /// sent.
  fileprivate func recording(to record: AccessLog.Request) -> Response {
    let body = body
    return Response(
      status: status, headers: headers,
      body: ResponseBody(contentLength: body.contentLength) { writer in
        defer { record.end() }
        let counting = CountingBodyWriter(writer: writer, record: record)
        do {
          try await record.asCurrent { try await body.write(counting) }
        } catch {
          record.logError("the response was cut off: \(error)")
          throw error
        }
      })
  }
}

/// Counts the bytes sent.
private struct CountingBodyWriter: ResponseBodyWriter {
  var writer: any ResponseBodyWriter
  let record: AccessLog.Request

  mutating func write(_ buffer: ByteBuffer) async throws {
    try await writer.write(buffer)
    record.sent(buffer.readableBytes)
  }

  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
    try await writer.finish(trailingHeaders)
  }
}
