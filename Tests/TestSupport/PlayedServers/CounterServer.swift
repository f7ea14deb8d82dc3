import Glibc

/// The directory of a server that has only counters, all in one file, and reuses the place of a removed
/// section at once.
///
/// The order of steps is a server's: a section is hidden before its line in the index is taken back, and
/// becomes ready only after it is listed.
public final class CounterServer: @unchecked Sendable {
  /// The argument for `-n`.
  public let path: String
  /// How many counters each section has.
  public let counterCount: Int
  /// How many workers there have been: a part of their files' names, so that no two files have the same name.
  private var made = 0
  private let home: TemporaryDirectory
  private let slotCount: Int
  private let document: String
  private var cluster: MappedFile?
  private var lines: [Int: String] = [:]
  private var order: [String] = []
  private var removals = 0
  private var birth = Int(time(nil))

  private var directory: String { path + "/_.vsm_child" }
  private var slotByteCount: Int { 24 + 8 * counterCount }

  /// Makes the directory, with a manager and a worker.
  ///
  /// - Parameter document: the JSON description of the counters; by default the counters are named by number.
  public init(slotCount: Int, counterCount: Int, document: String? = nil) throws(SupportError) {
    home = try TemporaryDirectory()
    self.document = document ?? Self.numbered(counterCount)
    path = home.file("instance")
    self.slotCount = slotCount
    self.counterCount = counterCount
    guard mkdir(path, 0o755) == 0 else { throw SupportError("make \(path)", errno: errno) }
    try start()
  }

  /// Starts a manager and a worker, after `stop()`.
  public func start() throws(SupportError) {
    let manager = path + "/_.vsm_mgt"
    guard mkdir(manager, 0o755) == 0 else { throw SupportError("make \(manager)", errno: errno) }
    try writeFile(manager + "/_.Arg.0", [UInt8](repeating: 0, count: 4096))
    try startWorker()
    try writeFile(manager + "/_.index", Array("\(header)+ _.Arg.0 0 8 Arg -i\n".utf8))
  }

  /// Ends the worker and begins another, which has no sections yet.
  public func startWorker() throws(SupportError) {
    removeTree(directory)
    guard mkdir(directory, 0o755) == 0 else { throw SupportError("make \(directory)", errno: errno) }
    made += 1
    birth += 1
    (lines, order, removals) = ([:], [], 0)
    let cluster = try MappedFile(
      path: "\(directory)/_.VSC_cluster.\(made)", byteCount: (16 + slotCount * slotByteCount + 4095) & ~4095)
    try cluster.publish()
    self.cluster = cluster
    try writeFile("\(directory)/_.StatDoc.\(made)", Self.section(number: 7, Array(document.utf8) + [0]))
    order = [
      "_.StatDoc.\(made) 0 \(24 + document.utf8.count + 1) StatDoc 7",
      "_.VSC_cluster.\(made) 0 \(cluster.byteCount)  ",
    ]
    try rewrite()
  }

  /// Ends the server: removes the files of the worker and of the manager.
  public func stop() {
    removeTree(directory)
    removeTree(path + "/_.vsm_mgt")
  }

  /// The content of a section's file, padded to whole pages.
  public static func section(number: UInt64, ready: UInt32 = 1, _ body: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    for word in [UInt64(ready), 24, number] {
      withUnsafeBytes(of: word) { bytes += $0 }
    }
    bytes += body
    return bytes + [UInt8](repeating: 0, count: (4096 - bytes.count % 4096) % 4096)
  }

  private static func numbered(_ counterCount: Int) -> String {
    let counters = (0..<counterCount).map { index in
      """
      "c\(index)":{"type":"counter","ctype":"uint64_t","level":"info","oneliner":"Number \(index)",\
      "format":"integer","index":\(index * 8),"name":"c\(index)","docs":""}
      """
    }
    return """
      {"version":"1","name":"test","oneliner":"","order":10,"docs":"","elements":\(counterCount),\
      "elem":{\(counters.joined(separator: ","))}}
      """
  }

  // MARK: Sections

  /// Makes a section in a free place.
  public func add(_ name: String, in slot: Int, _ values: [UInt64]) throws(SupportError) {
    guard let cluster, lines[slot] == nil else { throw SupportError("place \(slot) is taken") }
    let offset = 16 + slot * slotByteCount
    for index in 0..<counterCount { cluster.store(UInt64(0), at: offset + 24 + index * 8) }
    cluster.store(UInt64(24), at: offset + 8)
    cluster.store(UInt64(7), at: offset + 16)
    let line = "_.VSC_cluster.\(made) \(offset) \(slotByteCount) Stat \(name)"
    try append("+ \(line)\n")
    order.append(line)
    lines[slot] = line
    cluster.store(UInt32(1), at: offset)
    set(slot, values)
  }

  /// Sets the counters of the section in a place.
  public func set(_ slot: Int, _ values: [UInt64]) {
    for (index, value) in values.enumerated() {
      cluster?.store(value, at: 16 + slot * slotByteCount + 24 + index * 8)
    }
  }

  /// Removes the section in a place.
  public func remove(_ slot: Int) throws(SupportError) {
    guard let line = lines.removeValue(forKey: slot) else { return }
    cluster?.store(UInt32(2), at: 16 + slot * slotByteCount)
    order.removeAll { $0 == line }
    if removals < 10 {
      removals += 1
      try append("- \(line)\n")
    } else {
      try rewrite()
    }
  }

  // MARK: The index

  private var header: String { "# \(getpid()) \(birth)\n" }

  private func append(_ line: String) throws(SupportError) {
    let name = directory + "/_.index"
    let index = open(name, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard index >= 0 else { throw SupportError("open \(name)", errno: errno) }
    defer { close(index) }
    let bytes = Array(line.utf8)
    guard write(index, bytes, bytes.count) == bytes.count else {
      throw SupportError("write \(name)", errno: errno)
    }
  }

  private func rewrite() throws(SupportError) {
    removals = 0
    try writeFile(directory + "/_._.index", Array((header + order.map { "+ \($0)\n" }.joined()).utf8))
    guard rename(directory + "/_._.index", directory + "/_.index") == 0 else {
      throw SupportError("rename the index", errno: errno)
    }
  }
}
