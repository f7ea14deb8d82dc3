import Checkpoints
import Glibc
import Platform
import Shipping
import Spool

/// A run that writes numbered entries to a file, resumes where an earlier run has noted its state, and may be
/// killed at a certain system call: for tests of what is then in the files.
@main
enum ShippingProbe {
  static func main() {
    var settings: [String: String] = [:]
    for argument in CommandLine.arguments.dropFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
      settings[parts[0]] = parts.count > 1 ? parts[1] : ""
    }
    do {
      try ProbeRun(settings).run()
    } catch {
      complain("\(error)")
      exit(1)
    }
  }
}

/// Writes a line to standard error.
func complain(_ text: String) {
  let bytes = Array((text + "\n").utf8)
  _ = write(STDERR_FILENO, bytes, bytes.count)
}
