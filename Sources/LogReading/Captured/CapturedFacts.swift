import Platform
import VarnishLog

/// What is known of a captured log besides its records.
public struct CapturedFacts: Sendable {
  /// The log's name in messages.
  public let path: String
  /// What kind of log it is, in a few words.
  public internal(set) var form = "binary log"
  /// The marker that the log begins with, or the release, such as "2.1", if the marker isn't a text; nil if
  /// there is none.
  public internal(set) var layout: String?
  /// The releases that write such a log, if its form tells more than its tag numbers do.
  public internal(set) var releases: String?
  /// The processes that wrote the log, as far as its files name them.
  public internal(set) var writers: [Writer] = []
  /// The log's age in seconds, in 4.0 to 5.1; the manager counts it up as long as it runs.
  public internal(set) var age: UInt64?
  /// The sections of the server's shared memory, as far as they are listed.
  public internal(set) var sections: [SharedSection] = []
  /// Why the list of sections isn't complete; nil if it is.
  public internal(set) var sectionProblem: String?
  /// The state of the ring; nil if the log isn't a ring.
  public internal(set) var ring: RingFacts?

  /// A process that writes the log.
  public struct Writer: Sendable {
    /// The process's role: "manager" or "worker".
    public let role: String
    /// The process ID, and when the process began, in seconds since 1970; nil if unknown.
    public let pid: Int32?, birth: Int64?
    /// Whether the process may be running on this machine; nil if that can't be told.
    public var lives: Bool?
    /// A remark about the process.
    public var note: String?
  }

  init(path: String) { self.path = path }

  /// Notes whether the manager of a log without process IDs was seen to count the log's age up.
  public mutating func noteManager(lives: Bool, note: String) {
    for index in writers.indices where writers[index].role == "manager" {
      (writers[index].lives, writers[index].note) = (lives, note)
    }
  }
}

extension CapturedInput {
  /// What is known of the log before it is opened.
  ///
  /// - Throws: `LogError` if it can't be read.
  public mutating func facts() throws(LogError) -> CapturedFacts {
    var facts = CapturedFacts(path: path)
    facts.sections = sections
    if unreadLines > 0 { facts.sectionProblem = "lines of the indexes that list nothing: \(unreadLines)" }
    for case (let role, .some(let writer)) in [("manager", manager?.writer), ("worker", index?.writer)] {
      facts.writers.append(
        CapturedFacts.Writer(
          role: role, pid: writer.pid, birth: writer.birth,
          lives: ProcessStart.mayOwn(writer.pid, logOf: writer.birth)))
    }
    let beginning = try input.peek(8)
    switch Self.form(of: beginning) {
    case .ring:
      facts.form = "ring"
      facts.layout = String(decoding: beginning, as: UTF8.self)
      if beginning.last == UInt8(ascii: "1") { facts.releases = releases }
    case .singleFile: facts.form = "a server's one file"
    case .records:
      switch LogLayout(fileMagic: beginning) {
      case .narrow?: facts.layout = "VSL"
      case .wide?: facts.layout = "VSL2"
      case nil: break
      }
    }
    return facts
  }
}

extension CapturedFacts {
  /// Notes what the single file of a server before 5.2 tells of its sections and its processes.
  mutating func note(_ file: borrowing SingleFile) {
    let found = file.sections()
    (sections, sectionProblem) = (found.all, found.problem)
    age = file.age
    switch file.layout {
    case .chunks:
      layout = ChunkFileLayout.name
      writers = [
        Writer(
          role: "manager", pid: nil, birth: nil, lives: file.isAbandoned ? false : nil,
          note: file.isAbandoned ? "has let go of the file" : nil)
      ]
    case .sections: layout = "3.0"
    case .flat(let flat): layout = flat == .v20 ? "2.0" : "2.1"
    }
    guard let birth = file.birth else { return }
    guard let master = file.master, let child = file.child else {
      writers = [Writer(role: "manager", pid: nil, birth: birth, lives: nil)]
      return
    }
    let lives = ProcessStart.mayOwn(master, logOf: birth)
    writers = [process("manager", master, birth, lives: lives)]
    // A worker may have begun long after the file, and ends with its manager.
    writers.append(process("worker", child, nil, lives: lives && ProcessStart.mayOwn(child, logOf: .max)))
  }

  private func process(_ role: String, _ pid: Int32, _ birth: Int64?, lives: Bool) -> Writer {
    pid > 0
      ? Writer(role: role, pid: pid, birth: birth, lives: lives)
      : Writer(role: role, pid: nil, birth: birth, lives: false, note: "the file names none")
  }
}
