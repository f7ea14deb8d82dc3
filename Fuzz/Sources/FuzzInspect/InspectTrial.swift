import FuzzSupport
import Glibc
import Inspection
import LogReading
import VarnishLog

/// Inspects what an input describes, and checks that the result is text and JSON.
///
/// ```
/// byte 0   form: 0 a file, as it is: a binary log, a ring, an archive, 4.0's one file
///                1 a worker's log, whose index is right
///                2 indexes: the worker's, and behind a NUL the manager's, beside a log
///                3 3.0's one file from the list's number on
///                4 one file of 2.0 or 2.1, without what is between its head and its log
///                5 as 1, watched
///                6 a description of counters, and behind a NUL the counters (3 bits); then 1 bit: what is damaged is
///                  searched
///      1   release that is claimed, 0 for none
///      2   the file
/// ```
struct InspectTrial {
  private let form: UInt8
  private let options: CaptureOptions
  private let payload: [UInt8]

  private static let home: String = {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/dev/shm"
    let path = "\(parent)/fuzzinspect.\(getpid())"
    for directory in ["", "/instance", "/instance/_.vsm_mgt", "/instance/_.vsm_child"] {
      require(mkdir(path + directory, 0o700) == 0 || errno == EEXIST, "can't make \(path)\(directory)")
    }
    return path
  }()

  private static let versions: [VarnishVersion] = ["2.0", "2.1", "3.0", "4.0", "4.1", "6.0", "7.3", "9.0"]
    .compactMap { VarnishVersion(parsing: $0) }

  init?(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard bytes.count >= 2 else { return nil }
    form = bytes[0] & 7
    payload = Array(bytes.dropFirst(2))
    var options = CaptureOptions()
    options.salvages = bytes[0] & 8 != 0
    if bytes[1] > 0 {
      options.numbering = TagNumbering(of: Self.versions[Int(bytes[1]) % Self.versions.count])
    }
    self.options = options
  }

  func run() {
    switch form {
    case 1, 5: inspectInstance(log: payload, worker: nil, manager: nil)
    case 2:
      let parts = payload.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
      inspectInstance(
        log: Self.emptyRing, worker: Array(parts[0]), manager: parts.count > 1 ? Array(parts[1]) : nil)
    case 3:
      var file = [UInt8](repeating: 0, count: 65564) + payload
      Self.put(4_185_512_502, at: 0, of: &file)
      Self.put(UInt32(file.count), at: 24, of: &file)
      inspectFile(file)
    case 4:
      let head = Array(payload.prefix(44))
      var file = head + [UInt8](repeating: 0, count: 66432 - head.count) + payload.dropFirst(44)
      Self.put((head.first ?? 0) & 1 == 0 ? 4_185_512_498 : 4_185_512_499, at: 0, of: &file)
      inspectFile(file)
    case 6:
      let parts = payload.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
      countInstance(description: Array(parts[0]), counters: parts.count > 1 ? Array(parts[1]) : [])
    default: inspectFile(payload)
    }
  }

  /// Samples an instance with one description and three sections of counters: one of them as large as its
  /// file, one too long, and one shorter.
  private func countInstance(description: [UInt8], counters: [UInt8]) {
    let path = Self.home + "/instance"
    let header = "# \(getpid()) 4000000000\n"
    let head: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]
    write(head + description + [0], to: path + "/_.vsm_child/_.StatDoc.fuzz")
    write(head + counters, to: path + "/_.vsm_child/_.Stat.fuzz")
    let count = 24 + counters.count
    let lines = [
      "StatDoc.fuzz 0 \(25 + description.count) StatDoc 7", "Stat.fuzz 0 \(count) Stat A",
      "Stat.fuzz 0 \(count + 1) Stat B", "Stat.fuzz 0 \(min(count, 32)) Stat C",
    ]
    write(
      Array((header + lines.map { "+ _.\($0)\n" }.joined()).utf8), to: path + "/_.vsm_child/_.index")
    write(Array("\(header)+ _.Arg.fuzz 0 8 Arg -i\n".utf8), to: path + "/_.vsm_mgt/_.index")
    var instance = InstanceFollower(path: path)
    let sections = sampleCounters(&instance)
    require(sections.contains("A") && sections.contains("C") && !sections.contains("B"), "\(sections)")
  }

  /// Samples counters, and checks that each has a value or none.
  @discardableResult
  private func sampleCounters(_ instance: inout InstanceFollower) -> [String] {
    instance.refresh()
    guard let sample = try? instance.sampleCounters() else { return [] }
    for section in sample.sections {
      require(section.values.count == section.descriptions.counters.count, "values of other counters")
    }
    return sample.sections.map(\.name)
  }

  private static func put(_ number: UInt32, at offset: Int, of bytes: inout [UInt8]) {
    bytes.replaceSubrange(offset..<offset + 4, with: withUnsafeBytes(of: number, Array.init))
  }

  /// A log of 4.1 without records.
  private static let emptyRing: [UInt8] = {
    var ring = Array("VSLHEAD1".utf8) + [UInt8](repeating: 0, count: 80 + 8 * 16 * 4)
    put(16, at: 8, of: &ring)
    put(0xFFFF_FFF8, at: 16, of: &ring)
    for index in 32..<88 { ring[index] = 0xFF }
    put(0xFE45_4545, at: 88, of: &ring)
    return ring
  }()

  private func inspectFile(_ bytes: [UInt8]) {
    let path = Self.home + "/file"
    write(bytes, to: path)
    check { () throws(LogError) in try Inspection.of(path, options) }
    var instance = InstanceFollower(file: path)
    sampleCounters(&instance)
  }

  private func inspectInstance(log: [UInt8], worker: [UInt8]?, manager: [UInt8]?) {
    let path = Self.home + "/instance"
    // The writer is this process, which runs and isn't younger than the index.
    let header = "# \(getpid()) 4000000000\n"
    write(log, to: path + "/_.vsm_child/_.Log.fuzz")
    write(
      worker ?? Array("\(header)+ _.Log.fuzz 0 \(log.count) Log Log\n".utf8),
      to: path + "/_.vsm_child/_.index")
    write(manager ?? Array("\(header)+ _.Arg.fuzz 0 8 Arg -i\n".utf8), to: path + "/_.vsm_mgt/_.index")
    check { () throws(LogError) in
      form == 5
        ? try Inspection.ofInstance(path, options, watchingSeconds: 0.000_001)
        : try Inspection.of(path, options)
    }
    var instance = InstanceFollower(path: path)
    sampleCounters(&instance)
  }

  private func check(_ look: () throws(LogError) -> Inspection) {
    guard let inspection = try? look() else { return }
    let (text, json) = (inspection.text, inspection.json)
    require(text.last == 0x0A && json.last == 0x0A, "an answer ends in the middle of a line")
    require(text.allSatisfy { $0 >= 0x20 || $0 == 0x0A }, "a control character is shown")
    require(
      json.dropLast().withUnsafeBytes { JSONSyntax.isValue($0) } && !json.dropLast().contains(0x0A),
      "this is no JSON: \(String(decoding: json, as: UTF8.self))")
  }

  private func write(_ bytes: [UInt8], to path: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    require(descriptor >= 0, "can't make \(path)")
    require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count, "can't write \(path)")
    close(descriptor)
  }
}
