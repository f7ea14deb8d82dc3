import Glibc
import LogWriting
import SpillwayLogging

/// A server that logs one request and does nothing else: it is linked only with what every server needs that
/// only writes.
@main
enum ServerProbe {
  static func main() throws {
    let log = AccessLog(try LogWriter(directory: CommandLine.arguments[1]))
    let client = AccessLog.Address("192.0.2.7", port: 51234)
    let request = log.begin(method: "GET", target: "/probe", client: client)
    request.respond(status: 200, reason: "OK", headers: [("Content-Type", "text/plain")])
    request.sent(5)
    request.end()
    // The log is removed with its writer, so the process stays until the log has been read.
    print("logged")
    fflush(nil)
    _ = readLine()
  }
}
