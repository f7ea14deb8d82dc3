import Compression
import Glibc
import Platform
import Shipping
import TestSupport
import Transactions

@testable import Pipeline

/// The files of an output of a simulated run, and what other processes do to them.
struct SimulatedOutput {
  let kind: Scenario.Kind
  let groupsRequests: Bool
  let directory: String
  /// How many files other processes have put aside.
  private var asideCount = 0

  init(_ output: Scenario.Output, _ directory: String) {
    kind = output.kind
    groupsRequests = output.groupsRequests
    self.directory = directory
    mkdir(directory, 0o700)
  }

  private var path: String { directory + "/log" + (kind.compression?.suffix ?? "") }

  func configuration(_ scenario: Scenario) -> OutputConfiguration {
    var options = FileOptions(path: kind == .timed ? directory + "/%Y%m%dT%H%M%S" : path)
    options.appends = true
    options.compression = kind.compression.map { CompressionMethod($0, level: 1) }
    if kind == .rotated { options.rotateBytes = 700 }
    if kind == .rotatedGzip { options.rotateBytes = 150 }
    options.sync = scenario.syncMilliseconds.map {
      $0 == 0 ? .eachBatch : .interval(nanoseconds: Int64($0) * 1_000_000)
    }
    var output = OutputConfiguration()
    var formatting = OutputConfiguration.LineFormatting()
    formatting.format = .text(Array("%U %s".utf8))
    output.shown = .lines(formatting)
    output.target = .file(options)
    output.client = true
    output.grouping = groupsRequests ? .request : .vxid
    if kind == .spooled {
      output.spoolDirectory = directory + "/spool"
      output.spoolBytes = 4 << 10
    }
    return output
  }

  // MARK: What others do

  mutating func renameFile() {
    guard !kind.isSeries else { return }
    asideCount += 1
    rename(path, asidePath)
  }

  mutating func truncateFile() throws {
    guard !kind.isSeries, access(path, F_OK) == 0 else { return }
    asideCount += 1
    try writeFile(asidePath, readFile(path))
    truncate(path, 0)
  }

  private var asidePath: String {
    let number = String(asideCount)
    return directory + "/old-" + String(repeating: "0", count: 4 - number.count) + number
  }

  /// Gives all files times by the machine's clock.
  func setTimes(_ now: Moment) {
    let time = timespec(tv_sec: Int(now.wallSeconds), tv_nsec: 0)
    for name in directoryEntries(directory) {
      _ = utimensat(AT_FDCWD, directory + "/" + name, [time, time], 0)
    }
  }

  // MARK: Lines

  /// All lines, in order.
  func lines() throws -> [Substring] {
    var files: [(key: (Int, Int64, String), path: String)] = []
    for name in directoryEntries(directory) where name != "spool" {
      let path = directory + "/" + name
      files.append(((name.hasPrefix("old-") ? 0 : 1, kind.isSeries ? number(path) : 0, name), path))
    }
    files.sort { $0.key < $1.key }
    var text: [UInt8] = []
    for file in files {
      let bytes = try readFile(file.path)
      text += try kind.compression.map { try expand(bytes, $0, file.path) } ?? bytes
    }
    if let last = text.last, last != UInt8(ascii: "\n") {
      throw SupportError("\(directory): ends within a line")
    }
    return String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      .dropLast()
  }

  private func number(_ path: String) -> Int64 {
    guard let bytes = try? SystemCalls.real.attribute("user.spillway", ofPath: path) else { return .max }
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    return words.count > 1 ? Int64(words[1]) ?? .max : .max
  }

  private func expand(
    _ bytes: [UInt8], _ format: CompressionFormat, _ path: String
  ) throws -> [UInt8] {
    var decompressor = try Decompressor(format)
    var result: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    var start = 0
    while start < bytes.count || decompressor.isHoldingBack {
      var target = piece.mutableSpan
      var raw = target.mutableBytes
      let progress = try decompressor.decode(bytes.span.bytes.extracting(droppingFirst: start), into: &raw)
      start += progress.consumed
      result += piece.prefix(progress.produced)
      if progress.consumed == 0, progress.produced == 0 { break }
    }
    do {
      try decompressor.finish()
    } catch {
      throw SupportError("\(path): \(error)")
    }
    return result
  }
}
