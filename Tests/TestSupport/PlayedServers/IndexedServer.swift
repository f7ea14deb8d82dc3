import Glibc

/// The syntax of an index's lines (`shm-layout.md` 5.2).
public protocol IndexStyle {
  /// A line, without the sign that says whether it adds a segment or takes it back.
  static func line(_ file: String, _ byteCount: Int, _ kind: String, _ name: String) -> String
  /// The sign in front of a line that adds a segment.
  static var sign: String { get }
}

/// 5.2: no offsets.
public enum IndexStyleA: IndexStyle {
  /// The sign in front of a line.
  public static let sign = ""
  /// A line.
  public static func line(_ file: String, _ byteCount: Int, _ kind: String, _ name: String) -> String {
    "\(file) \(byteCount) \(kind) \(name)\n"
  }
}

/// 6.0.0 to 6.0.4, 6.1 and 6.2: offsets, and no signs.
public enum IndexStyleB: IndexStyle {
  /// The sign in front of a line.
  public static let sign = ""
  /// A line.
  public static func line(_ file: String, _ byteCount: Int, _ kind: String, _ name: String) -> String {
    "\(file) 0 \(byteCount) \(kind) \(name)\n"
  }
}

/// The later releases: lines can be taken back.
public enum IndexStyleC: IndexStyle {
  /// The sign in front of a line.
  public static let sign = "+ "
  /// A line.
  public static func line(_ file: String, _ byteCount: Int, _ kind: String, _ name: String) -> String {
    "\(file) 0 \(byteCount) \(kind) \(name)\n"
  }
}

/// A server since 5.2, with an index in the style of its time.
public final class IndexedServer<Style: IndexStyle>: PlayedServer {
  /// Whether it has a list of sections.
  public static var hasList: Bool { true }
  /// Whether others can write its file.
  public static var canBeTakenOver: Bool { false }
  private let directory: String
  private var header = ""
  private var lines: [(line: String, kind: String)] = []
  private var removals = 0
  private var made = 0
  private var ring: RingWriter?
  private static var worker: String { "_.vsm_child" }
  private static var manager: String { "_.vsm_mgt" }

  /// Makes its files.
  public init(directory: String) throws(SupportError) {
    self.directory = directory
    removeTree("\(directory)/\(Self.worker)")
    removeTree("\(directory)/\(Self.manager)")
    try makeDirectory(Self.manager)
    header = "# \(getpid()) \(Self.nextBirth())\n"
    try writeFile("\(directory)/\(Self.manager)/_.Arg.0", [UInt8](repeating: 0, count: 4096))
    let line = Style.sign + Style.line("_.Arg.0", 8, "Arg", "-i")
    try writeFile("\(directory)/\(Self.manager)/_.index", Array((header + line).utf8))
    try startWorker()
  }

  private static func nextBirth() -> Int { Int(clock()) + Int(time(nil)) }

  private func makeDirectory(_ name: String) throws(SupportError) {
    guard mkdir("\(directory)/\(name)", 0o755) == 0 else { throw SupportError("make \(name)", errno: errno) }
  }

  /// Ends the worker, if there is one, and begins another.
  public func startWorker() throws(SupportError) {
    removeTree("\(directory)/\(Self.worker)")
    try makeDirectory(Self.worker)
    header = "# \(getpid()) \(Self.nextBirth())\n"
    (lines, removals) = ([], 0)
    try rewrite()
    try add("Stat", "MAIN")
    try moveLog()
  }

  private func add(_ kind: String, _ name: String) throws(SupportError) {
    made += 1
    let file = "_.\(kind).\(made)"
    var byteCount = 4096
    if kind == "Log" {
      let ring = try RingWriter(
        path: "\(directory)/\(Self.worker)/\(file)", layout: .twoWord, eighthWords: 2048)
      byteCount = ring.byteCount
      self.ring = ring
    } else {
      try writeFile("\(directory)/\(Self.worker)/\(file)", [UInt8](repeating: 0, count: byteCount))
    }
    let line = Style.line(file, byteCount, kind, name)
    lines.append((line, kind))
    try append(Style.sign + line)
  }

  private func remove(_ kind: String) throws(SupportError) {
    guard let index = lines.lastIndex(where: { $0.kind == kind }) else { return }
    let line = lines.remove(at: index).line
    removals += 1
    if Style.sign.isEmpty || removals > 10 {
      try rewrite()
    } else {
      try append("- " + line)
    }
    unlink("\(directory)/\(Self.worker)/\(line.prefix { $0 != " " })")
  }

  private var index: String { "\(directory)/\(Self.worker)/_.index" }

  private func append(_ text: String) throws(SupportError) {
    let file = open(index, O_WRONLY | O_APPEND | O_CLOEXEC)
    defer { close(file) }
    let bytes = Array(text.utf8)
    guard write(file, bytes, bytes.count) == bytes.count else {
      throw SupportError("append to \(index)", errno: errno)
    }
  }

  private func rewrite() throws(SupportError) {
    let text = lines.reduce(header) { $0 + Style.sign + $1.line }
    try writeFile(index + ".new", Array(text.utf8))
    guard rename(index + ".new", index) == 0 else { throw SupportError("rename \(index)", errno: errno) }
    removals = 0
  }

  /// Logs a request.
  public func log(_ path: String, number: Int) {
    ring?.append(batch: SampleRecord.request(path, number: number, tags: .v7))
  }

  /// Frees a section and makes one.
  public func changeList() throws(SupportError) {
    try remove("Made")
    try add("Made", "VBE.boot.default")
  }

  /// Begins another log in a new section.
  public func moveLog() throws(SupportError) {
    try remove("Log")
    try add("Log", "Log")
  }

  /// Ends in an orderly way.
  public func leave() {
    removeTree("\(directory)/\(Self.worker)")
    removeTree("\(directory)/\(Self.manager)")
  }
}
