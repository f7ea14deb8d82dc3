import TestSupport

/// The system calls of a program, as written by `strace -f -ttt -y`.
struct SystemCallTrace {
  /// One call, or the first half of one that another thread's line interrupted.
  struct Call {
    /// Seconds since 1970.
    let time: Double
    /// The call's name.
    let name: Substring
    /// The whole line, from the name on.
    let text: Substring

    /// Calls whose quoted argument is not a file's name.
    private static let takesData: Set<Substring> = [
      "read", "pread64", "write", "pwrite64", "execve",
    ]

    /// The paths of files below `directory` that the call names, whole or by a descriptor and a name relative
    /// to it.
    func paths(below directory: String) -> [String] {
      var paths: [String] = []
      var descriptorPath: Substring?
      var rest = text
      while let open = rest.firstIndex(where: { $0 == "\"" || $0 == "<" }) {
        let isName = rest[open] == "\""
        let start = rest.index(after: open)
        guard let end = rest[start...].firstIndex(of: isName ? "\"" : ">") else { break }
        let found = rest[start..<end]
        if isName && Self.takesData.contains(name) {
          // In such calls quoted bytes are a file's content.
        } else if found.hasPrefix(directory) {
          paths.append(String(found))
        } else if isName, let base = descriptorPath, !found.hasPrefix("/"), !found.isEmpty {
          paths.append("\(base)/\(found)")
        }
        if !isName { descriptorPath = found.hasPrefix(directory) ? found : nil }
        rest = rest[rest.index(after: end)...]
      }
      return paths
    }
  }

  /// The calls in the order in which they began.
  let calls: [Call]

  /// The command line of a strace whose output this type can parse.
  ///
  /// The program stays our child (`-D`), so that signals to the child reach it.
  static func wrapper(output: String) -> [String] {
    ["strace", "-D", "-f", "-ttt", "-y", "-s", "512", "-o", output]
  }

  /// Reads a trace; lines about signals, exits and second halves of calls are left out.
  init(_ text: String) {
    calls = text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
      guard fields.count == 3, let time = Double(fields[1]), let first = fields[2].first,
        first.isLetter, let parenthesis = fields[2].firstIndex(of: "(")
      else { return nil }
      return Call(time: time, name: fields[2][..<parenthesis], text: fields[2])
    }
  }

  /// How many calls began in a span of time.
  func count(from start: Double, to end: Double) -> Int {
    calls.count { $0.time >= start && $0.time < end }
  }
}
