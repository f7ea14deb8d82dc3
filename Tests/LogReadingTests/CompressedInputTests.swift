import Glibc
import LogReading
import TestSupport
import Testing
import VarnishLog

/// The records of a compressed log are those of the log, up to the place at which it can't be decoded.
struct CompressedInputTests {
  /// Records as text, and the fault that ended reading.
  struct Reading: Equatable {
    var records: [String] = []
    var fault: String?
  }

  private static func log(_ layout: SampleLayout, transactions: Int) -> LogFileBuilder {
    var log = LogFileBuilder(layout)
    for index in 1...transactions {
      let vxid = UInt64(index * 2)
      log.add(vxid, .client, "Begin", "req 1 rxreq")
      log.add(vxid, .client, "ReqURL", "/\(index &* 7919)/\(String(repeating: "x", count: index % 50))")
      log.add(vxid, .client, "End")
    }
    return log
  }

  @Test(arguments: SampleLayout.allCases, Compressor.allCases)
  func `the records are the log's, in a file and in a pipe`(
    layout: SampleLayout, compressor: Compressor
  ) async throws {
    try await onOwnThread {
      let log = Self.log(layout, transactions: 5000)
      let directory = try TemporaryDirectory()
      try log.write(to: directory.file("log.vsl"))
      let expected = try Self.read(directory.file("log.vsl"))
      try #require(expected.records.count == 15_000)
      #expect(expected.fault == nil)
      let compressed = try compressor.compress(log.bytes)
      let path = directory.file("log")
      try writeFile(path, compressed)
      #expect(try Self.read(path) == expected)

      for pieceByteCount in [1, 4096, 100_000] where pieceByteCount > 1 || compressor == .zstdFrames {
        let piped = try await Self.readPipe { pipe in
          for start in stride(from: 0, to: compressed.count, by: pieceByteCount) {
            pipe.write(Array(compressed[start..<min(start + pieceByteCount, compressed.count)]))
          }
        }
        #expect(piped == expected, "\(pieceByteCount) bytes at a time")
      }
    }
  }

  @Test(arguments: Compressor.allCases)
  func `cut anywhere, what is whole is delivered and the cut is named`(
    compressor: Compressor
  ) async throws {
    try await onOwnThread {
      let log = Self.log(.twoWord, transactions: 150)
      let directory = try TemporaryDirectory()
      let path = directory.file("log")
      try log.write(to: path)
      let expected = try Self.read(path)
      let partByteCount = 3000
      let compressed = try compressor.compress(log.bytes, partByteCount: partByteCount)
      // For each length at which the compressed file ends with a member or frame: the reading of the plain
      // log's corresponding part.
      var wholeParts: [Int: Reading] = [:]
      if compressor == .gzipMembers || compressor == .zstdFrames {
        for end in stride(from: partByteCount, to: log.byteCount + partByteCount, by: partByteCount) {
          let count = min(end, log.byteCount)
          try writeFile(path, log.bytes[..<count])
          var reading = try Self.read(path)
          reading.fault = reading.fault?.replacing(": byte offset", with: ": decoded byte offset")
          let part = try compressor.compress(Array(log.bytes[..<count]), partByteCount: partByteCount)
          wholeParts[part.count] = reading
          // The file is whole both with and without the skippable frame.
          if compressor == .zstdFrames { wholeParts[part.count - Compressor.skippable.count] = reading }
        }
        try #require(wholeParts.count >= 3)
      }
      var best = 0
      for count in 0..<compressed.count {
        try writeFile(path, compressed[..<count])
        let reading = try Self.read(path)
        #expect(reading.records.elementsEqual(expected.records.prefix(reading.records.count)))
        #expect(reading.records.count >= best, "\(count): fewer records than with less of the file")
        best = reading.records.count
        if let part = wholeParts[count] {
          // Only the log is cut there, which shows only in the middle of a record.
          #expect(reading == part, "\(count)")
        } else if count < compressor.magic.count {
          #expect(reading.fault == "VSL file read error: EOF")
        } else {
          #expect(
            reading.fault
              == "\(path): compressed byte offset \(count): the \(compressor.formatName) data are cut off")
        }
      }
      #expect(best > 0 || compressor == .zstd, "records come out before the end")
    }
  }

  @Test(arguments: Compressor.allCases)
  func `a changed byte ends in a message or changes nothing`(compressor: Compressor) async throws {
    try await onOwnThread {
      let log = Self.log(.threeWord, transactions: 60)
      let directory = try TemporaryDirectory()
      let path = directory.file("log")
      try log.write(to: path)
      let expected = try Self.read(path)
      let compressed = try compressor.compress(log.bytes)
      for index in compressed.indices {
        var changed = compressed
        changed[index] ^= 1 << UInt8(index % 8)
        try writeFile(path, changed)
        let reading = try Self.read(path)
        #expect(reading == expected || reading.fault != nil, "byte \(index)")
      }
    }
  }

  @Test(arguments: Compressor.allCases)
  func `what a pipe has is delivered while the writer pauses`(compressor: Compressor) async throws {
    try await onOwnThread {
      let log = Self.log(.twoWord, transactions: 400)
      let directory = try TemporaryDirectory()
      try log.write(to: directory.file("log"))
      let expected = try Self.read(directory.file("log"))
      // Each part is a member or frame that ends at the end of a transaction.
      let parts = try Self.parts(of: log.bytes, count: 4).map { try compressor.compress($0) }
      // Opened for reading and writing, so that opening waits for no reader.
      let path = try Self.makePipe(in: directory)
      let pipe = try PipeWriter(path, O_RDWR)
      pipe.write(parts[0])
      var source = FileRecords<NarrowRecords>(try LogFile(path: path), assuming: nil)
      try source.begin()
      var reading = Reading()
      for part in 1...parts.count {
        #expect(try Self.drain(&source, &reading) == .idle)
        #expect(reading.records.count == expected.records.count * part / parts.count)
        if part < parts.count { pipe.write(parts[part]) }
      }
      _ = consume pipe
      // A child of another test may still hold the writing end between its fork and its exec.
      try Self.finish(&source, &reading)
      #expect(reading == expected)
    }
  }

  /// Cuts a log of like transactions into parts with the same number of transactions.
  private static func parts(of bytes: [UInt8], count: Int) throws -> [[UInt8]] {
    let directory = try TemporaryDirectory()
    try writeFile(directory.file("log"), bytes)
    let records = try read(directory.file("log")).records
    var cuts = try (1..<count).map { part in
      try #require(records[records.count * part / count].split(separator: " ").first.flatMap { Int($0) })
    }
    cuts.append(bytes.count)
    var start = 0
    return cuts.map { end in
      defer { start = end }
      return Array(bytes[start..<end])
    }
  }

  // MARK: Reading

  private enum Pause: Equatable {
    case idle
    case end
  }

  private static func read(_ path: String) throws -> Reading {
    var reading = Reading()
    do {
      let file = try LogFile(path: path)
      switch file.kind {
      case .narrow: try read(FileRecords<NarrowRecords>(file, assuming: nil), &reading)
      case .wide: try read(FileRecords<WideRecords>(file, assuming: nil), &reading)
      case .old: throw SupportError("a log with a marker was taken for one without")
      }
    } catch let error as LogError {
      reading.fault = error.description
    }
    return reading
  }

  private static func read<Layout>(
    _ source: consuming FileRecords<Layout>, _ reading: inout Reading
  ) throws {
    var source = source
    try source.begin()
    try finish(&source, &reading)
  }

  private static func finish<Layout>(
    _ source: inout FileRecords<Layout>, _ reading: inout Reading
  ) throws {
    while try drain(&source, &reading) == .idle {
      var request = pollfd(fd: source.waitDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
      poll(&request, 1, 10_000)
    }
  }

  private static func drain<Layout>(
    _ source: inout FileRecords<Layout>, _ reading: inout Reading
  ) throws -> Pause {
    while true {
      switch try source.next() {
      case .records(let run):
        var cursor = run.makeCursor()
        while let record = cursor.next() {
          let offset = source.offset(of: record.address)
          let sum = record.payload.buffer.reduce(into: UInt64(1)) { $0 = $0 &* 31 &+ UInt64($1) }
          reading.records.append("\(offset) \(record.vxid) \(record.tag) \(sum)")
        }
      case .idle: return .idle
      case .end: return .end
      case .overrun, .damaged, .gap: throw SupportError("a file has none of these")
      }
    }
  }

  /// Reads a pipe while `feed` writes to it; both wait for each other at the beginning.
  private static func readPipe(_ feed: @escaping @Sendable (borrowing PipeWriter) -> Void) async throws
    -> Reading
  {
    let directory = try TemporaryDirectory()
    let path = try makePipe(in: directory)
    async let fed: Void = onOwnThread { feed(try PipeWriter(path, O_WRONLY)) }
    let reading = try read(path)
    try await fed
    return reading
  }

  private static func makePipe(in directory: TemporaryDirectory) throws -> String {
    let path = directory.file("pipe")
    try #require(mkfifo(path, 0o600) == 0)
    return path
  }
}

/// The writing end of a pipe, which no child that another test starts inherits.
private struct PipeWriter: ~Copyable {
  private let descriptor: Int32

  init(_ path: String, _ mode: Int32) throws {
    descriptor = open(path, mode | O_CLOEXEC)
    try #require(descriptor >= 0)
  }

  deinit { close(descriptor) }

  borrowing func write(_ bytes: [UInt8]) {
    var offset = 0
    while offset < bytes.count {
      let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      offset += count
    }
  }
}
