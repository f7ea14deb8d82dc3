import Glibc
import LogReading
import TestSupport
import Testing
import VarnishLog

/// Positions in binary files, and resuming at a position.
struct FilePositionTests {
  @Test(arguments: SampleLayout.allCases, [nil, Compressor.gzip])
  func `a file that is opened at a record gives this and all behind it`(
    layout: SampleLayout, compressor: Compressor?
  ) throws {
    var random = SeededGenerator(seed: 31)
    let directory = try TemporaryDirectory()
    let log = SampleFile(layout, records: 300, &random)
    let path = try log.write(in: directory, compressor)
    let all = try Reading(path)
    #expect(all.places == log.places)
    #expect(zip(all.places, all.places.dropFirst()).allSatisfy { $0 < $1 })
    #expect(all.end.place == UInt64(log.bytes.count))
    for (index, place) in log.places.enumerated() {
      let stored = LogPosition(all.end.incarnation, place: place).description
      let position = try #require(LogPosition(stored))
      let rest = try Reading(path, from: position)
      try #require(rest.resumption == .held && rest.places == Array(log.places[index...]), "\(random)")
    }
    let end = try Reading(path, from: all.end)
    #expect(end.resumption == .held && end.places.isEmpty)
  }

  @Test(arguments: SampleLayout.allCases)
  func `a place where no record begins is not believed`(layout: SampleLayout) throws {
    var random = SeededGenerator(seed: 32)
    let directory = try TemporaryDirectory()
    let log = SampleFile(layout, records: 20, &random)
    let path = try log.write(in: directory)
    let all = try Reading(path)
    let boundaries = Set(log.places + [all.end.place])
    let far = [all.end.place + 1, all.end.place + 4, 1 << 40, LogPosition.placeMax]
    for place in (0...all.end.place) + far where !boundaries.contains(place) {
      let reading = try Reading(path, from: LogPosition(all.end.incarnation, place: place))
      try #require(reading.resumption == .noSuchPlace, "\(place), \(random)")
      // Reading resumes with the record that contains the place.
      let next = log.places.last { $0 <= place && place < all.end.place } ?? (place < 4 ? 4 : nil)
      try #require(reading.places == log.places.filter { $0 >= next ?? .max }, "\(place), \(random)")
    }
  }

  @Test func `a file that was cut or overwritten has no such place`() throws {
    var random = SeededGenerator(seed: 33)
    let directory = try TemporaryDirectory()
    let log = SampleFile(.twoWord, records: 200, &random)
    let path = try log.write(in: directory)
    let end = try Reading(path).end
    try #require(truncate(path, off_t(log.places[100])) == 0)
    let cut = try Reading(path, from: end)
    #expect(cut.resumption == .noSuchPlace)
    #expect(cut.places.isEmpty)
    let earlier = try Reading(path, from: LogPosition(end.incarnation, place: log.places[50]))
    #expect(earlier.resumption == .held)
    #expect(earlier.places == Array(log.places[50..<100]))
    // A tail of zeros isn't a record.
    try #require(truncate(path, off_t(log.bytes.count)) == 0)
    var file = try FileRecords<NarrowRecords>(LogFile(path: path), assuming: nil)
    try file.begin()
    #expect(try file.resume(at: end) == .noSuchPlace)
    #expect(throws: LogError.self) { try file.next() }
  }

  /// A file that is longer than the part mapped at once, and is still being written when it is opened.
  @Test func `a long file that grows while it is read gives each record once`() throws {
    var random = SeededGenerator(seed: 36)
    let directory = try TemporaryDirectory()
    let log = SampleFile(.twoWord, records: 40_000, &random)
    try #require(log.bytes.count > 20 << 20)
    let path = directory.file("log.vsl")
    // More than the reader looks at to find out the meaning of the tags.
    var written = 5 << 20
    try writeFile(path, log.bytes[..<written])
    let writer = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    defer { close(writer) }
    var source = try FileRecords<NarrowRecords>(LogFile(path: path), assuming: nil)
    try source.begin()
    var places: [UInt64] = []
    while case .records(let run) = try source.next() {
      var cursor = run.makeCursor()
      while let record = cursor.next() { places.append(run.place(of: record)) }
      // More is written before the reader has read all that is there.
      while written < log.bytes.count, Int(run.endPlace) + (2 << 20) > written {
        let count = min(Int.random(in: 1...3 << 20, using: &random), log.bytes.count - written)
        let added = log.bytes[written...].withUnsafeBytes { unsafe write(writer, $0.baseAddress, count) }
        try #require(added == count)
        written += count
      }
    }
    #expect(places == log.places, "\(random)")
  }

  @Test func `another file of the same name is another log`() throws {
    var random = SeededGenerator(seed: 34)
    let directory = try TemporaryDirectory()
    let log = SampleFile(.twoWord, records: 20, &random)
    let path = try log.write(in: directory)
    let old = try Reading(path).end
    try #require(rename(path, directory.file("old")) == 0)
    _ = try log.write(in: directory)
    let new = try Reading(path, from: old)
    #expect(new.resumption == .otherIncarnation)
    #expect(new.places == log.places)
    #expect(new.end.precedes(old) == nil)
    // The log is the same under its new name.
    #expect(try Reading(directory.file("old"), from: old).resumption == .held)
  }

  @Test func `what came through a pipe doesn't come again`() throws {
    var random = SeededGenerator(seed: 35)
    let log = SampleFile(.twoWord, records: 20, &random)
    let ends = try makePipe()
    defer { close(ends.readEnd) }
    try #require(write(ends.writeEnd, log.bytes, log.bytes.count) == log.bytes.count)
    close(ends.writeEnd)
    var source = try FileRecords<NarrowRecords>(
      LogFile(path: "/proc/self/fd/\(ends.readEnd)"), assuming: nil)
    try source.begin()
    let position = LogPosition(source.incarnation, place: log.places[3])
    #expect(try source.resume(at: position) == .otherIncarnation)
    guard case .records(let run) = try source.next() else { throw SupportError("no records") }
    #expect(run.place == log.places[0])
  }

  /// A place far into a file that is read window by window.
  @Test func `a place many megabytes into a file is found`() throws {
    var log = LogFileBuilder()
    log.add(lines: "2 c Begin req 1 rxreq\n2 c End")
    let long = LogFileBuilder.bytes(
      of: SampleRecord(3, .client, tag: 72, bytes: [UInt8](repeating: 0x61, count: 65_001)), .twoWord)
    while log.byteCount < 20 << 20 { log.add(raw: long) }
    let place = UInt64(log.byteCount)
    log.add(raw: long)
    let directory = try TemporaryDirectory()
    let path = directory.file("log.vsl")
    try log.write(to: path)
    let end = try Reading(path).end
    let reading = try Reading(path, from: LogPosition(end.incarnation, place: place))
    #expect(reading.resumption == .held)
    #expect(reading.places == [place])
    let beside = try Reading(path, from: LogPosition(end.incarnation, place: place + 4))
    #expect(beside.resumption == .noSuchPlace)
  }
}

/// A file with the places of its records.
private struct SampleFile {
  private(set) var places: [UInt64] = []
  private var log: LogFileBuilder

  init(_ layout: SampleLayout, records count: Int, _ random: inout SeededGenerator) {
    log = LogFileBuilder(layout)
    var vxid: UInt64 = 1
    for _ in 0..<count {
      if Int.random(in: 0..<4, using: &random) == 0 { vxid += 1 }
      places.append(UInt64(log.byteCount))
      let isLong = count > 100 && Int.random(in: 0..<50, using: &random) == 0
      let length = Int.random(in: 0..<(isLong ? 65_000 : 40), using: &random)
      log.add(vxid, .client, "ReqURL", String(repeating: "x", count: length))
    }
  }

  var bytes: [UInt8] { log.bytes }

  func write(in directory: TemporaryDirectory, _ compressor: Compressor? = nil) throws -> String {
    let path = directory.file("log.vsl")
    if let compressor {
      try writeFile(path, compressor.compress(bytes))
    } else {
      try log.write(to: path)
    }
    return path
  }
}

/// The result of reading a file from a position to its end.
private struct Reading {
  private(set) var resumption: LogResumption?
  /// Where each record begins.
  private(set) var places: [UInt64] = []
  private(set) var end: LogPosition

  init(_ path: String, from position: LogPosition? = nil) throws {
    let file = try LogFile(path: path)
    end = LogPosition(LogIncarnation(device: 0, inode: 0), place: 0)
    switch file.kind {
    case .narrow: try read(FileRecords<NarrowRecords>(file, assuming: nil), from: position)
    case .wide: try read(FileRecords<WideRecords>(file, assuming: nil), from: position)
    case .old: throw SupportError("a log with a marker was taken for one without")
    }
  }

  private mutating func read<Layout>(
    _ source: consuming FileRecords<Layout>, from position: LogPosition?
  ) throws {
    var source = source
    source.includesUnattributed = true
    try source.begin()
    if let position { resumption = try source.resume(at: position) }
    while case .records(let run) = try source.next() {
      var cursor = run.makeCursor()
      while let record = cursor.next() {
        places.append(run.place(of: record))
        #expect(places.last == UInt64(source.offset(of: record.address)))
      }
      #expect(run.endPlace == source.nextPlace)
    }
    end = source.nextPosition
  }
}
