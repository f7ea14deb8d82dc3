import Glibc
@testable import SharedMemory
import TestSupport
import Testing

@Suite("A region's file that somebody damaged")
struct RegionHeaderTests {
  let directory: TemporaryDirectory
  let path: String
  let intact: [UInt8]

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("region")
    let region = try ResizableRegion(creating: path, options: optionsForOwnPlace(growthBytes: 8192))
    try region.grow(toAtLeast: 16_384)
    memset(region.base, 0x55, 16_384)
    intact = try readFile(path)
  }

  /// Tries to join a file of these bytes; what can be joined must be usable to its end.
  private func expectUsableOrRefused(_ bytes: [UInt8], _ what: String) throws {
    try writeFile(path, bytes)
    do throws(RegionError) {
      let region = try ResizableRegion(opening: path)
      #expect(region.byteCount >= 0 && region.byteCount <= bytes.count - 4096, "\(what)")
      let all = UnsafeRawBufferPointer(start: region.base, count: region.byteCount)
      #expect(all.allSatisfy { $0 == 0x55 }, "\(what)")
      #expect(region.faultedPageCount == 0, "\(what)")
    } catch {
      #expect(!error.description.isEmpty)
    }
  }

  @Test("with any bit of its fixed fields flipped, is refused by name and reason")
  func flippedBits() throws {
    for offset in 0..<48 {
      for bit in 0..<8 {
        var bytes = intact
        bytes[offset] ^= 1 << bit
        try writeFile(path, bytes)
        #expect("bit \(bit) of byte \(offset)") {
          try ResizableRegion(opening: path)
        } throws: { error in
          guard case RegionError.damaged(let path, let reason) = error else { return false }
          return path == self.path && !reason.isEmpty
        }
      }
    }
  }

  @Test("with any bit of its size flipped, is refused or as large as it says")
  func flippedSize() throws {
    for offset in 64..<72 {
      for bit in 0..<8 {
        var bytes = intact
        bytes[offset] ^= 1 << bit
        try expectUsableOrRefused(bytes, "bit \(bit) of byte \(offset)")
      }
    }
  }

  @Test("by malice, with a checksum that is right, is refused or usable")
  func malice() throws {
    var random = SeededGenerator()
    let header = try RegionHeader(intact, path: path)
    let odd: [UInt64] = [0, 1, 4095, 4096, 8192, 1 << 30, 1 << 46, 1 << 47, 1 << 63, .max, .max - 4095]
    for round in 0..<600 {
      func pick(_ value: Int) -> UInt64 {
        switch random.next() % 3 {
        case 0: UInt64(value)
        case 1: odd[Int(random.next() % UInt64(odd.count))]
        default: random.next() >> (random.next() % 64) & (random.next() % 2 == 0 ? .max : ~4095)
        }
      }
      let address = pick(Int(header.address))
      let hostile = RegionHeader(
        address: UInt(address), capacity: Int(truncatingIfNeeded: pick(header.capacity)),
        growthBytes: Int(truncatingIfNeeded: pick(header.growthBytes)))
      let end = pick(20_480)
      let bytes = hostile.encoded(endingAt: end) + intact[RegionHeader.layoutBytes...]
      try expectUsableOrRefused(bytes, "round \(round), \(hostile), \(end), \(random)")
    }
  }

  @Test("and a file that never was one, are refused")
  func foreign() throws {
    var random = SeededGenerator()
    try expectUsableOrRefused([], "empty")
    for count in [1, 8, 71, 72, 4095, 4096, 20_000] {
      let noise = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      try writeFile(path, noise)
      #expect(throws: RegionError.self, "\(count) bytes, \(random)") { try ResizableRegion(opening: path) }
    }
    for path in [directory.path, "/dev/null", "/proc/self/status", directory.file("nothing")] {
      #expect(throws: RegionError.self, "\(path)") { try ResizableRegion(opening: path) }
    }
    #expect(throws: RegionError.self) { try ResizableRegion(joining: -1) }
    let ends = try makePipe()
    #expect(throws: RegionError.self) { try ResizableRegion(joining: ends.readEnd) }
    for end in [ends.readEnd, ends.writeEnd] { close(end) }
  }

  @Test("and made anew by somebody else's version, names both versions")
  func otherVersion() throws {
    var bytes = intact
    bytes[8] = 9
    try writeFile(path, bytes)
    let error = RegionError.damaged(path: path, reason: "version 9; this program knows 1")
    #expect(throws: error) { try ResizableRegion(opening: path) }
  }

  @Test("by cutting off its end, is refused, or repaired with zeros if that is wanted")
  func truncated() throws {
    try writeFile(path, intact[..<10_000])
    let reason = "20480 bytes long by its header, and 10000 in fact"
    #expect(throws: RegionError.damaged(path: path, reason: reason)) { try ResizableRegion(opening: path) }
    let region = try ResizableRegion(opening: path, repairsTruncation: true)
    #expect(region.byteCount == 16_384)
    let bytes = UnsafeRawBufferPointer(start: region.base, count: 16_384)
    #expect(bytes[..<(10_000 - 4096)].allSatisfy { $0 == 0x55 })
    #expect(bytes[(10_000 - 4096)...].allSatisfy { $0 == 0 })
    #expect(try region.allocatedByteCount() >= 20_480)
  }

  @Test("while it is in use, is an error of whoever looks, and no signal")
  func damagedInUse() throws {
    try writeFile(path, intact)
    let region = try ResizableRegion(opening: path)
    let sizes: [UInt64] = [0, .max, 1 << 51, 24_576, 8193, 4095, 1 << 30 + 8192]
    for word in sizes {
      #expect(withUnsafeBytes(of: word) { pwrite(region.descriptor, $0.baseAddress, 8, 64) } == 8)
      #expect(throws: RegionError.self) { try region.refresh() }
      #expect(throws: RegionError.self) { try region.grow(toAtLeast: 1 << 20) }
      #expect(throws: RegionError.self) { try region.shrink(to: 0) }
      #expect(region.byteCount == 16_384)
    }
    #expect(intact[64..<72].withUnsafeBytes { pwrite(region.descriptor, $0.baseAddress, 8, 64) } == 8)
    #expect(try region.grow(toAtLeast: 20_000) == 24_576)

    #expect(truncate(path, 8192) == 0)
    #expect(region.base.load(fromByteOffset: 12_288, as: UInt8.self) == 0)
    #expect(region.base.load(as: UInt8.self) == 0x55)
    #expect(region.faultedPageCount == 1)
    let reason = "28672 bytes long by its header, and 8192 in fact"
    #expect(throws: RegionError.damaged(path: path, reason: reason)) { try region.refresh() }
    // This holds even when the header is gone.
    #expect(truncate(path, 0) == 0)
    #expect(throws: RegionError.self) { try region.refresh() }
  }
}
