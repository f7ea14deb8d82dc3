import Glibc
import Platform
import SharedMemory
import Synchronization
import TestSupport
import Testing

@Suite("A region's size")
struct RegionSizeTests {
  @Test("begins at nothing, and grows in steps to the span's end")
  func steps() throws {
    let options = ResizableRegion.Options(spanBytes: 1_000_000, growthBytes: 60_000)
    let region = try ResizableRegion(anonymous: "steps", options: options)
    #expect(region.byteCount == 0)
    #expect(region.capacity == 1_003_520)
    #expect(region.growthBytes == 61_440)
    #expect(UInt(bitPattern: region.base) % 4096 == 0)

    #expect(try region.grow(toAtLeast: 1) == 61_440)
    #expect(try region.grow(toAtLeast: 61_440) == 61_440)
    #expect(try region.grow(toAtLeast: 61_441) == 122_880)
    #expect(try region.grow(toAtLeast: 1_000_000) == 1_003_520)
    #expect(isZero(region, 0..<1_003_520))
    #expect(try region.allocatedByteCount() == 4096 + 1_003_520)

    let error = RegionError.spanExhausted(wanted: 1_003_521, capacity: 1_003_520, path: "memfd:steps")
    #expect(throws: error) { try region.grow(toAtLeast: 1_003_521) }
    #expect(throws: RegionError.self) { try region.grow(toAtLeast: .max) }
    #expect(region.byteCount == 1_003_520)
  }

  @Test("grows under pointers that stay")
  func stays() throws {
    let region = try ResizableRegion(anonymous: "stays")
    let base = region.base
    for size in stride(from: 1 << 20, through: 32 << 20, by: 1 << 20) {
      try region.grow(toAtLeast: size)
      #expect(region.base == base)
      base.storeBytes(of: size, toByteOffset: size - 8, as: Int.self)
    }
    for size in stride(from: 1 << 20, through: 32 << 20, by: 1 << 20) {
      #expect(base.load(fromByteOffset: size - 8, as: Int.self) == size)
    }
  }

  @Test("is grown by two threads at once, each step once")
  func threads() async throws {
    let region = try ResizableRegion(anonymous: "threads", options: .init(growthBytes: 4096))
    let counter = Counter()
    let total = 16 << 10
    let stride = 1 << 10
    let fill: @Sendable (UInt8) throws -> Int = { letter in
      var count = 0
      while true {
        let taken = counter.next()
        guard taken < total else { return count }
        let place = taken * stride
        try region.grow(toAtLeast: place + 1)
        guard region.base.load(fromByteOffset: place, as: UInt8.self) == 0 else { return -1 }
        region.base.storeBytes(of: letter, toByteOffset: place, as: UInt8.self)
        count += 1
      }
    }
    async let one = onOwnThread { try fill(1) }
    async let other = onOwnThread { try fill(2) }
    let counts = try await [one, other]
    #expect(counts.reduce(0, +) == total)
    #expect(region.byteCount == total * stride)
    let bytes = UnsafeRawBufferPointer(start: region.base, count: total * stride)
    #expect(bytes.count { $0 == 1 } == counts[0])
    #expect(bytes.count { $0 == 2 } == counts[1])
  }

  @Test("shrinks to whole pages, and what is grown again is zero")
  func shrinking() throws {
    let region = try ResizableRegion(anonymous: "shrinking", options: .init(growthBytes: 64 << 10))
    try region.grow(toAtLeast: 1 << 20)
    memset(region.base, 0xFF, 1 << 20)
    try region.shrink(to: 10_000)
    #expect(region.byteCount == 12_288)
    #expect(try region.allocatedByteCount() == 4096 + 12_288)
    #expect(try isReservedOnly(region, 12_288..<region.capacity))
    try region.shrink(to: 1 << 30)
    #expect(region.byteCount == 12_288)
    #expect(throws: RegionError.self) { try region.shrink(to: -1) }

    #expect(try region.grow(toAtLeast: 12_289) == 64 << 10)
    #expect(region.base.load(fromByteOffset: 12_287, as: UInt8.self) == 0xFF)
    #expect(isZero(region, 12_288..<64 << 10))
    try region.shrink(to: 0)
    #expect(region.byteCount == 0)
  }

  @Test("may go up and down a thousand times and leave nothing behind")
  func cycles() throws {
    var region: ResizableRegion? = try ResizableRegion(anonymous: "region-cycles")
    let span = try {
      let region = try #require(region)
      let start = UInt(bitPattern: region.base) - 4096
      let blocks = try region.allocatedByteCount()
      for cycle in 0..<1000 {
        try region.grow(toAtLeast: 4 << 20)
        region.base.storeBytes(of: 1, toByteOffset: (cycle % 4) << 20, as: UInt8.self)
        try region.shrink(to: 0)
      }
      #expect(try region.allocatedByteCount() == blocks)
      let span = start..<start + UInt(region.capacity) + 4096
      // The mapped part of the file, and the reserved rest.
      #expect(try mappingCount(in: span) == 2)
      #expect(openDescriptors(of: "region-cycles") == 1)
      return span
    }()
    region = nil
    #expect(try mappingCount(in: span) == 0)
    #expect(openDescriptors(of: "region-cycles") == 0)
  }

  @Test("is guarded against being cut, however many regions there were before")
  func guarded() throws {
    for _ in 0..<100 {
      let region = try ResizableRegion(anonymous: "guarded")
      try region.grow(toAtLeast: 1 << 20)
      #expect(ftruncate(region.descriptor, 4096) == 0)
      region.base.storeBytes(of: 1, toByteOffset: 5000, as: UInt8.self)
      #expect(region.faultedPageCount == 1)
    }
  }

  @Test("and options that make no sense are refused, with nothing left behind")
  func options() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("region")
    let senseless: [ResizableRegion.Options] = [
      .init(searchStep: 0), .init(searchTries: 0), .init(spanBytes: 0), .init(spanBytes: -1),
      .init(spanBytes: .max), .init(growthBytes: 0), .init(growthBytes: .min),
    ]
    for options in senseless {
      #expect {
        try ResizableRegion(creating: path, options: options)
      } throws: { error in
        if case RegionError.invalidOptions = error { true } else { false }
      }
      #expect(access(path, F_OK) != 0)
    }
  }

  @Test("is reserved somewhere else when the first places are taken, and nowhere when all are")
  func search() throws {
    let first = try ResizableRegion(anonymous: "first")
    var taken = ResizableRegion.Options(searchStart: UInt(bitPattern: first.base) - 4096)
    let second = try ResizableRegion(anonymous: "second", options: taken)
    #expect(second.base >= first.base + first.capacity)

    let directory = try TemporaryDirectory()
    taken.searchTries = 1
    let path = directory.file("region")
    #expect(throws: RegionError.noAddressFree(tries: 1, path: path)) {
      try ResizableRegion(creating: path, options: taken)
    }
    #expect(access(path, F_OK) != 0)
  }

  @Test("belongs to a file that is made once, and removed by its own name only")
  func names() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("region")
    let region = try ResizableRegion(creating: path)
    let error = RegionError.system(SystemError(operation: "create", path: path, code: EEXIST))
    #expect(throws: error) { try ResizableRegion(creating: path) }
    #expect(access(path, F_OK) == 0)

    try region.remove()
    #expect(access(path, F_OK) != 0)
    try region.grow(toAtLeast: 1)
    try writeFile(path, [])
    try region.remove()
    #expect(access(path, F_OK) == 0)
  }
}

/// A source of numbers from 0, each returned once.
private final class Counter: Sendable {
  private let value = Atomic(0)

  func next() -> Int { value.add(1, ordering: .relaxed).oldValue }
}

/// How many descriptors of this process are open on a memory file of this name.
private func openDescriptors(of label: String) -> Int {
  directoryEntries("/proc/self/fd").count { entry in
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/fd/\(entry)", &buffer, buffer.count)
    let target = String(decoding: buffer[..<max(0, count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
    return target.hasPrefix("/memfd:\(label)")
  }
}
