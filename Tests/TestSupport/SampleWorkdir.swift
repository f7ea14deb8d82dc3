import Glibc

/// An instance directory of a server of 6.3 or newer, with a worker that is played by a test.
///
/// The manager's index lists a segment, without which varnishlog would not look at the worker's.
public final class SampleWorkdir: @unchecked Sendable {
  /// The argument for `-n`.
  public let path: String
  private let home: TemporaryDirectory?
  private var random = SeededGenerator(seed: 42)
  private var birth = 1_700_000_000

  /// Makes the directory with a manager and no worker yet, in a temporary place unless `path` is
  /// given.
  public init(path: String? = nil) throws(SupportError) {
    if let path {
      home = nil
      self.path = path
    } else {
      let home = try TemporaryDirectory()
      self.home = home
      self.path = home.file("instance")
    }
    try makeDirectory(self.path)
    try startManager()
  }

  /// Makes the manager's files: at the start, and again after `stopManager()`.
  public func startManager() throws(SupportError) {
    let directory = "\(path)/_.vsm_mgt"
    try makeDirectory(directory)
    let argument = segmentName("Arg")
    let page = Array("sample".utf8) + [UInt8](repeating: 0, count: 4090)
    try writeFile("\(directory)/\(argument)", page)
    try writeFile("\(directory)/_.index", (header + "+ \(argument) 0 8 Arg -i\n").utf8)
  }

  /// Removes the manager's files and the worker's.
  public func stopManager() {
    stopWorker()
    removeTree("\(path)/_.vsm_mgt")
  }

  /// Makes a new log and publishes it in a new directory of the worker, replacing what was there.
  ///
  /// - Parameters:
  ///   - eighthWords: An eighth of the ring, in words.
  ///   - firstSegment: The number of the first eighth.
  public func startWorker(
    _ layout: SampleLayout = .twoWord, eighthWords: Int = 32765,
    firstSegment: UInt32 = RingWriter.firstSegment
  ) throws(SupportError) -> RingWriter {
    stopWorker()
    let directory = "\(path)/_.vsm_child"
    try makeDirectory(directory)
    let name = segmentName("Log")
    let ring = try RingWriter(
      path: "\(directory)/\(name)", layout: layout, eighthWords: eighthWords, firstSegment: firstSegment)
    try writeFile(
      "\(directory)/_.index", (header + "+ \(name) 0 \(ring.byteCount) Log Log\n").utf8)
    return ring
  }

  /// Removes the worker's directory, as a server does when a worker has ended; a log that is mapped
  /// stays readable.
  public func stopWorker() {
    removeTree("\(path)/_.vsm_child")
  }

  /// The first line of an index, with a new birth time for each.
  private var header: String {
    birth += 1
    return "# \(getpid()) \(birth)\n"
  }

  private func segmentName(_ kind: String) -> String {
    let digits = String(random.next(), radix: 16)
    return "_.\(kind).\(String(repeating: "0", count: 16 - digits.count))\(digits)"
  }

  private func makeDirectory(_ path: String) throws(SupportError) {
    guard mkdir(path, 0o755) == 0 else { throw SupportError("make \(path)", errno: errno) }
  }
}
