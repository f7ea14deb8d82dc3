import Glibc
import LogReading
import TestSupport
import Testing
import VarnishLog

/// A file's records are the same however they arrive.
struct ChunkingTests {
  /// How a writer cuts the bytes that it writes to a pipe.
  enum Cut: Sendable, CaseIterable {
    case byteByByte
    case randomPieces
    case wholePages
  }

  @Test(arguments: SampleLayout.allCases, Cut.allCases)
  func `a pipe gives what a file gives`(layout: SampleLayout, cut: Cut) async throws {
    var random = SeededGenerator(seed: 17)
    // Byte by byte is slow; a few records are enough for every cut there is.
    let log = Self.log(layout, records: cut == .byteByByte ? 40 : 1500, &random)
    let directory = try TemporaryDirectory()
    try log.write(to: directory.file("log.vsl"))
    let expected = try Self.records(of: directory.file("log.vsl"))
    try #require(!expected.isEmpty)

    let (reading, writing) = try makePipe()
    defer { close(reading) }
    let bytes = log.bytes
    async let written: Void = onOwnThread {
      Self.write(bytes, to: writing, cut)
      close(writing)
    }
    let records = try await onOwnThread { try Self.records(of: "/proc/self/fd/\(reading)") }
    try await written
    #expect(records == expected, "\(random)")
  }

  /// A regular file is read window by window, and records lie across the edges.
  @Test func `a file of many megabytes is read without a gap`() throws {
    var log = LogFileBuilder()
    let kinds = [65_000, 65_001, 3, 65_533, 40_000].map { length in
      LogFileBuilder.bytes(
        of: SampleRecord(
          UInt64(length), .client, tag: 72, bytes: [UInt8](repeating: 0x61, count: length)),
        .twoWord)
    }
    log.add(lines: "2 c Begin req 1 rxreq\n2 c End")
    var expected: [Int] = []
    while log.byteCount < 30 << 20 {
      for bytes in kinds {
        expected.append(log.byteCount)
        log.add(raw: bytes)
      }
    }
    let directory = try TemporaryDirectory()
    try log.write(to: directory.file("log.vsl"))
    let file = try LogFile(path: directory.file("log.vsl"))
    var source = FileRecords<NarrowRecords>(file, assuming: nil)
    try source.begin()
    var offsets: [Int] = []
    while case .records(let run) = try source.next() {
      var cursor = run.makeCursor()
      while let record = cursor.next() {
        guard record.tag == 72 else { continue }
        offsets.append(source.offset(of: record.address))
        #expect(record.payload.count == Int(record.vxid) + 1)
      }
    }
    #expect(offsets == expected)
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32, _ cut: Cut) {
    var random = SeededGenerator(seed: 18)
    var offset = 0
    while offset < bytes.count {
      let wanted =
        switch cut {
        case .byteByByte: 1
        case .randomPieces: Int.random(in: 1...70_000, using: &random)
        case .wholePages: 4096
        }
      let count = bytes.withUnsafeBytes { buffer in
        let rest = buffer[offset..<min(offset + wanted, bytes.count)]
        return Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      }
      guard count > 0 else { return }
      offset += count
    }
  }

  /// Every record of a transaction, as text.
  private static func records(of path: String) throws -> [String] {
    let file = try LogFile(path: path)
    switch file.kind {
    case .narrow: return try records(FileRecords<NarrowRecords>(file, assuming: nil))
    case .wide: return try records(FileRecords<WideRecords>(file, assuming: nil))
    case .old: throw SupportError("a log with a marker was taken for one without")
    }
  }

  private static func records<Layout>(
    _ source: consuming FileRecords<Layout>
  ) throws -> [String] {
    var source = source
    var records: [String] = []
    try source.begin()
    while true {
      switch try source.next() {
      case .records(let run):
        var cursor = run.makeCursor()
        while let record = cursor.next() {
          let offset = source.offset(of: record.address)
          let payload = record.payload
          let sum = payload.buffer.reduce(into: UInt64(payload.count)) { $0 = $0 &* 31 &+ UInt64($1) }
          records.append("\(offset) \(record.vxid) \(record.side) \(record.tag) \(sum)")
        }
      case .idle:
        var request = pollfd(fd: source.waitDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
        poll(&request, 1, 10_000)
      case .end: return records
      case .overrun, .damaged, .gap: throw SupportError("a file has none of these")
      }
    }
  }

  private static func log(
    _ layout: SampleLayout, records count: Int, _ random: inout SeededGenerator
  ) -> LogFileBuilder {
    var log = LogFileBuilder(layout)
    var vxid: UInt64 = 1
    for _ in 0..<count {
      switch Int.random(in: 0..<10, using: &random) {
      case 0:
        vxid += 1
        log.add(vxid, .client, "Begin", "req 1 rxreq")
      case 1: log.add(vxid, .client, "End")
      case 2: log.add(0, .none, "CLI", "Rd ping")
      case 3: log.add(vxid, .backend, "Link", "bereq 7 fetch")
      default:
        let isLong = Int.random(in: 0..<100, using: &random) == 0 && count > 100
        let length = Int.random(in: 0..<(isLong ? 65_000 : 60), using: &random)
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        log.add(SampleRecord(vxid, .client, tag: log.tags["VCL_Log"], bytes: bytes))
      }
    }
    return log
  }
}
