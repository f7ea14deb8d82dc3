import Glibc
import Platform
import SharedMemory
import TestSupport
import Testing

/// A mapped part of a file that moves through the file.
@Suite struct SlidingMappingTests {
  /// The byte with which a block of the file is filled.
  private static func byte(_ block: Int) -> UInt8 { UInt8(truncatingIfNeeded: block &* 0x9e37_79b1 &>> 13) }
  private static let blockByteCount = 512

  private static func write(_ byteCount: Int, to path: String) throws {
    var bytes: [UInt8] = []
    for block in 0...byteCount / blockByteCount {
      bytes += repeatElement(byte(block), count: blockByteCount)
    }
    try writeFile(path, bytes[..<byteCount])
  }

  private static func holds(_ start: UnsafeRawPointer, _ part: Range<Int>) -> Bool {
    let ends = part.isEmpty ? [] : [part.lowerBound, part.upperBound - 1]
    return (Array(stride(from: part.lowerBound, to: part.upperBound, by: 499)) + ends).allSatisfy { offset in
      unsafe start.load(fromByteOffset: offset - part.lowerBound, as: UInt8.self)
        == byte(offset / blockByteCount)
    }
  }

  /// How much of the file's mapped part is resident, in KiB.
  private static func residentKiB(of path: String) throws -> Int {
    var (isOfFile, sum) = (false, 0)
    for line in try readFile("/proc/self/smaps").split(separator: UInt8(ascii: "\n")) {
      let line = String(decoding: line, as: UTF8.self)
      let fields = line.split(separator: " ")
      if fields.count >= 5, fields[0].contains("-") {
        isOfFile = line.hasSuffix(path)
      } else if isOfFile, fields.first == "Rss:" {
        sum += Int(fields[1]) ?? 0
      }
    }
    return sum
  }

  @Test func `each part has the file's bytes, and what was passed is given back`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("log")
    let byteCount = 20 << 20
    try Self.write(byteCount, to: path)
    let file = try ReadOnlyFile(path: path)
    var random = SeededGenerator(seed: 51)
    var part = 4..<(1 << 20)
    var mapping = try SlidingMapping(file, part)
    var spans = 1
    while true {
      let base = unsafe mapping.base
      unsafe try #require(Self.holds(base, part), "\(part), \(random)")
      // The part and the 2 MiB pages in which its ends may lie are resident, but nothing in front of it.
      try #require(try Self.residentKiB(of: path) <= part.count >> 10 + 4096, "\(part), \(random)")
      if part.upperBound == byteCount { break }
      let start = Int.random(in: part.lowerBound...part.upperBound, using: &random)
      part = start..<min(start + Int.random(in: 1...2 << 20, using: &random), byteCount)
      if part.isEmpty || !mapping.move(to: part) {
        mapping = try SlidingMapping(file, part)
        spans += 1
      }
    }
    #expect(spans > 1)
  }

  @Test func `a part lies where the system can map pieces of 2 MiB by one entry of its tables`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("log")
    try Self.write(5000, to: path)
    let file = try ReadOnlyFile(path: path)
    for start in [0, 4, 5000, 3 << 20, (7 << 20) + 1234] {
      let mapping = try SlidingMapping(file, start..<start + 1)
      let address = unsafe Int(bitPattern: mapping.base)
      #expect((address - start).isMultiple(of: 2 << 20))
    }
  }

  @Test func `what a file gets while it is mapped can be reached`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("log")
    try Self.write(5000, to: path)
    let file = try ReadOnlyFile(path: path)
    var mapping = try SlidingMapping(file, 0..<5000)
    var base = unsafe mapping.base
    unsafe #expect(Self.holds(base, 0..<5000))
    try Self.write(300_000, to: path)
    let moved = mapping.move(to: 4000..<300_000)
    unsafe base = mapping.base
    unsafe #expect(moved && Self.holds(base, 4000..<300_000))
  }

  @Test func `what is cut off a file reads as zeros`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("log")
    try Self.write(300_000, to: path)
    var mapping = try SlidingMapping(ReadOnlyFile(path: path), 0..<300_000)
    try #require(truncate(path, 100_000) == 0)
    var base = unsafe mapping.base
    unsafe #expect(Self.holds(base, 0..<100_000))
    let cutOff = unsafe UnsafeRawBufferPointer(start: base + 100_000, count: 200_000)
    unsafe #expect(cutOff.allSatisfy { $0 == 0 })
    let moved = mapping.move(to: 50_000..<100_000)
    unsafe base = mapping.base
    unsafe #expect(moved && Self.holds(base, 50_000..<100_000))
  }

  @Test func `what can't be mapped is refused`() throws {
    let directory = try TemporaryDirectory()
    let folder = try ReadOnlyFile(directory: directory.path)
    #expect(throws: SystemError.self) { _ = try SlidingMapping(folder, 0..<1) }
    let path = directory.file("log")
    try Self.write(10, to: path)
    let file = try ReadOnlyFile(path: path)
    #expect(throws: SystemError.self) { _ = try SlidingMapping(file, -4096..<10) }
    #expect(throws: SystemError.self) { _ = try SlidingMapping(file, Int.max - 4096..<Int.max) }
  }
}
