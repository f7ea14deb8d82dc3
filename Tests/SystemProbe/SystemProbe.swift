import Glibc

/// Does to itself what its arguments say, one after the other, and tells in a line each what came of it: for tests of
/// what a process can't take back.
@main
enum SystemProbe {
  static func main() {
    var probe = Probe()
    for argument in CommandLine.arguments.dropFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
        String.init)
      print("\(argument): \(probe.perform(parts[0], parts.count > 1 ? parts[1] : ""))")
    }
    fflush(nil)
  }
}
