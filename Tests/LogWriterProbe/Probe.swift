import Glibc
import LogWriterSupport
import LogWriting

/// A process that handles a log on behalf of a test: it reads one command per line and answers each with one
/// line.
struct Probe {
  private var writer: LogWriter?

  /// Executes a command.
  mutating func answer(_ line: String) throws -> String {
    let words = line.split(separator: " ").map(String.init)
    func number(_ index: Int) throws(ProbeError) -> Int {
      guard index < words.count, let value = Int(words[index]) else { throw .badCommand }
      return value
    }
    guard let command = words.first else { throw ProbeError.badCommand }
    switch command {
    case "open":
      guard words.count == 4, let format = LogFormats.named(words[1]) else { throw ProbeError.badCommand }
      var options = LogWriterOptions(format)
      options.logByteCount = try number(2)
      options.batchByteCount = 4096
      options.textByteCountMax = 1000
      writer = nil
      writer = try LogWriter(directory: words[3], options: options)
      return "open"
    case "write":
      let first = UInt64(try number(2))
      WriterThreads.write(first..<first + UInt64(try number(3)), threads: try number(1), to: try opened)
      return "written"
    case "flood":
      WriterThreads.flood(try opened, threads: try number(1))
      return "flooding"
    case "churn":
      let pause = useconds_t(try number(2))
      for index in 0..<(try number(1)) {
        try churn(index)
        // Gives readers time to see the list between two changes.
        usleep(pause)
      }
      return "churned"
    case "close":
      try opened.close()
      return "closed"
    case "die": _exit(0)
    case "become":
      let user = uid_t(try number(1))
      guard setgroups(0, nil) == 0, setgid(user) == 0, setuid(user) == 0 else { return "error: \(errno)" }
      return "became"
    default: throw ProbeError.badCommand
    }
  }

  private var opened: LogWriter {
    get throws(ProbeError) {
      guard let writer else { throw .notOpen }
      return writer
    }
  }

  /// Makes a section and frees it: two changes of the list.
  private func churn(_ index: Int) throws {
    let section = try opened.addSection("Test", name: "churn.\(index)", byteCount: 64 + index % 512) {
      bytes in
      bytes.initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: index))
    }
    try section.free()
  }
}

enum ProbeError: Error {
  case badCommand, notOpen
}
