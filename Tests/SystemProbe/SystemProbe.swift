import Glibc

/// Performs on itself the actions that its arguments name, one after the other, and prints a line with the
/// result of each: for tests of changes that a process can't undo.
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
