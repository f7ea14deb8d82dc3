import Platform
import VarnishLog

/// What is known of a captured log before its records are read.
public struct CapturedFacts: Sendable {
  /// What messages call it.
  public let path: String
  /// What it is, in some words.
  public internal(set) var form = "binary log"
  /// The processes that wrote it, as far as an index tells.
  public internal(set) var writers: [Writer] = []
  /// What its server shares besides, as far as an index tells.
  public internal(set) var sections: [Section] = []
  /// How large the ring is; nil for what is none.
  public internal(set) var ringByteCount: Int?

  /// A process that writes.
  public struct Writer: Sendable {
    /// What it is, its number, and when it began, in seconds since 1970.
    public let role: String, pid: Int32, birth: Int64
    /// Whether it may run here.
    public let lives: Bool
  }

  /// A piece of what a server shares.
  public struct Section: Sendable {
    /// Its class, and which of that class it is.
    public let kind: String, name: String
    /// Its size.
    public let byteCount: Int
  }
}

extension CapturedInput {
  /// What is known of it.
  ///
  /// - Throws: `LogError` if it can't be read.
  public mutating func facts() throws(LogError) -> CapturedFacts {
    var facts = CapturedFacts(path: path)
    for case (let role, .some(let index)) in [("manager", manager), ("worker", index)] {
      facts.sections += index.sections.map {
        CapturedFacts.Section(kind: $0.kind, name: $0.name, byteCount: $0.byteCount)
      }
      guard let writer = index.writer else { continue }
      facts.writers.append(
        CapturedFacts.Writer(
          role: role, pid: writer.pid, birth: writer.birth,
          lives: ProcessStart.mayOwn(writer.pid, logOf: writer.birth)))
    }
    let beginning = try input.peek(8)
    switch Self.form(of: beginning) {
    case .ring:
      facts.form = "ring, marker \(String(decoding: beginning, as: UTF8.self))"
      facts.ringByteCount = part?.count ?? input.region?.count
    case .singleFile: facts.form = "a server's one file"
    case .records: break
    }
    return facts
  }
}
