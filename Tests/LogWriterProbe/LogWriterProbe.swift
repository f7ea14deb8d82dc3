import Glibc

/// Answers the commands on its standard input until the input ends.
@main
enum LogWriterProbe {
  static func main() {
    var probe = Probe()
    while let line = readLine() {
      let reply: String
      do {
        reply = try probe.answer(line)
      } catch {
        reply = "error: \(error)"
      }
      print(reply)
      fflush(nil)
    }
  }
}
