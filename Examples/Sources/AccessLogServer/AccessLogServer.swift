import Glibc
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import LogWriting
import VarnishLog
import SpillwayLogging

/// A small server whose requests and messages are followed with `spillway ncsa -n DIRECTORY` and
/// `spillway log -n DIRECTORY`.
@main
enum AccessLogServer {
  static func main() async throws {
    guard CommandLine.arguments.count == 3, let port = Int(CommandLine.arguments[2]) else {
      print("usage: AccessLogServer DIRECTORY PORT")
      exit(1)
    }
    let writer = try LogWriter(directory: CommandLine.arguments[1])
    // A handler for messages that belong to the server as a whole, and to requests.
    LoggingSystem.bootstrap { SpillwayLogHandler(label: $0, writer: writer) }
    let connections = Connections(AccessLog(writer))

    let router = Router(context: ServerContext.self)
    router.add(middleware: AccessLogMiddleware(connections: connections))
    addRoutes(to: router)
    let application = Application(
      router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
      onServerRunning: { channel in
        // If the port is 0, the system chooses one, so print it.
        print("listening on \(channel.localAddress?.port ?? port)")
        fflush(nil)
      })
    try await application.runService()
    writer.close()
  }

  private struct BrokenShelf: Error, CustomStringConvertible { let description = "the shelf broke" }

  private static func addRoutes(to router: Router<ServerContext>) {
    let logger = Logger(label: "shop")
    router.get("hello") { _, _ in "Hello\n" }
    // Messages logged while a request is answered become records of the request's transaction.
    router.get("cart/:id") { _, context in
      let id = context.parameters.get("id") ?? ""
      logger.notice("cart shown", metadata: ["cart": "\(id)", "tenant": "acme"])
      return "cart \(id)\n"
    }
    router.post("echo") { request, _ in
      Response(status: .created, body: ResponseBody(asyncSequence: request.body))
    }
    router.get("stream") { _, _ in
      Response(
        status: .ok,
        body: ResponseBody { writer in
          for _ in 0..<10 { try await writer.write(ByteBuffer(repeating: UInt8(ascii: "."), count: 100)) }
          try await writer.finish(nil)
        })
    }
    // Goes on until the client closes the connection.
    router.get("endless") { _, _ in
      Response(
        status: .ok,
        body: ResponseBody { writer in
          while true {
            try await writer.write(ByteBuffer(repeating: UInt8(ascii: "."), count: 1000))
            try await Task.sleep(for: .milliseconds(10))
          }
        })
    }
    router.get("teapot") { _, _ -> String in throw HTTPError(.badRequest, message: "short and stout") }
    router.get("broken") { _, _ -> String in throw BrokenShelf() }
  }
}
