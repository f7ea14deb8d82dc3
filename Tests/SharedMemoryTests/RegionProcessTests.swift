import Glibc
import Platform
import SharedMemory
import Synchronization
import TestSupport
import Testing

@Suite("A region shared by processes")
struct RegionProcessTests {
  static let total = 4 << 20

  @Test("is grown and filled by all of them together, every byte once", arguments: [2, 4, 8])
  func cooperation(peerCount: Int) async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = directory.file("region")
      var options = RegionPeer.options
      options.growthBytes = 16 << 10
      let region = try ResizableRegion(creating: path, options: options)
      try region.grow(toAtLeast: 4096)
      region.base.initializeMemory(as: Int.self, to: 0)

      let peers = try (0..<peerCount).map { _ in try RegionPeer() }
      for peer in peers {
        let reply = try peer.ask("open \(path)")
        try #require(reply == "16384", "\(reply)")
      }
      for (index, peer) in peers.enumerated() { try peer.tell("fill \(65 + index) \(Self.total)") }
      let claims = try peers.map { peer in
        let reply = try peer.reply()
        return try #require(Int(reply), "\(reply)")
      }

      #expect(try region.refresh() >= 4096 + Self.total)
      var counts = [Int](repeating: 0, count: 256)
      for offset in 4096..<4096 + Self.total {
        counts[Int(region.base.load(fromByteOffset: offset, as: UInt8.self))] += 1
      }
      #expect(counts[0] == 0)
      #expect(Array(counts[65..<65 + peerCount]) == claims)
      #expect(claims.reduce(0, +) == Self.total)
      for peer in peers { try peer.kill() }
    }
  }

  @Test("holds pointers that mean the same in each")
  func pointers() async throws {
    try await onOwnThread {
      let region = try ResizableRegion(anonymous: "pointers", options: RegionPeer.options)
      let peer = try RegionPeer()
      #expect(try peer.ask("open /proc/\(getpid())/fd/\(region.descriptor)") == "0")

      try region.grow(toAtLeast: 1 << 20)
      let ours = PointerChain(makingIn: region.base, count: 1000)
      #expect(try peer.ask("refresh") == "1048576")
      #expect(try peer.ask("walk \(ours.address)") == "1000 nodes, sum 500500")

      // A chain that the other process made in memory by which it had grown the region.
      let theirs = PointerChain(at: try #require(Int(try peer.ask("link 1048576 50000"))))
      #expect(try region.ensureMapped(upTo: (1 << 20) + 50_000 * PointerChain.nodeBytes))
      #expect(theirs.summary == "50000 nodes, sum 1250025000")
      try peer.kill()
    }
  }

  @Test("is refused where its address is taken, and leaves alone what lies there")
  func addressTaken() async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = directory.file("region")
      let region = try ResizableRegion(creating: path, options: RegionPeer.options)
      try region.grow(toAtLeast: 1)
      let start = UInt(bitPattern: region.base) - 4096
      let refusal = RegionError.addressTaken(at: start, path: path)
      // The header's page, the middle of the reserved span, and its very last page.
      for address in [start, start + 1 << 30, start + UInt(region.capacity)] {
        let peer = try RegionPeer()
        #expect(try peer.ask("occupy \(address)") == "occupied")
        #expect(try peer.ask("open \(path)") == "error: \(refusal)")
        #expect(try peer.ask("occupied") == "mine")
        try peer.kill()
      }
    }
  }

  @Test("can be closed and joined again by the same process")
  func joinedAgain() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("region")
    var region: ResizableRegion? = try ResizableRegion(creating: path, options: optionsForOwnPlace())
    try region?.grow(toAtLeast: 100)
    let base = region?.base
    base?.storeBytes(of: 42, as: UInt8.self)
    #expect(throws: RegionError.self) { try ResizableRegion(opening: path) }
    region = nil

    let again = try ResizableRegion(opening: path)
    #expect(again.base == base)
    #expect(again.byteCount == 1 << 20)
    #expect(again.base.load(as: UInt8.self) == 42)
  }

  @Test("is joined by a descriptor, which stays open")
  func joinedByDescriptor() throws {
    var region: ResizableRegion? = try ResizableRegion(anonymous: "joined", options: optionsForOwnPlace())
    try region?.grow(toAtLeast: 100)
    region?.base.storeBytes(of: 42, as: UInt8.self)
    let descriptor = dup(try #require(region).descriptor)
    defer { close(descriptor) }
    region = nil

    let joined = try ResizableRegion(joining: descriptor)
    #expect(joined.base.load(as: UInt8.self) == 42)
    #expect(fcntl(descriptor, F_GETFD) >= 0)
    #expect(fcntl(joined.descriptor, F_GETFD) == FD_CLOEXEC)
    #expect(joined.descriptor != descriptor)
  }

  @Test("that one shrank gives the others zeros, not a signal, and is whole again once they follow")
  func shrunkElsewhere() async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = directory.file("region")
      let region = try ResizableRegion(creating: path, options: RegionPeer.options)
      let peer = try RegionPeer()
      try region.grow(toAtLeast: 4 << 20)
      region.base.storeBytes(of: 7, toByteOffset: 3 << 20, as: UInt8.self)
      try peer.ask("open \(path)")
      #expect(try peer.ask("read \(3 << 20)") == "7")

      try region.shrink(to: 1 << 20)
      #expect(try peer.ask("read \(3 << 20)") == "0")
      #expect(try peer.ask("write \(3 << 20 + 4096) 1") == "written")
      #expect(try peer.ask("faults") == "2")
      #expect(try peer.ask("refresh") == "\(1 << 20)")

      // Back to the old size between two refreshes, with and without an access in between.
      try region.grow(toAtLeast: 4 << 20)
      try peer.ask("refresh")
      try region.shrink(to: 2 << 20)
      try region.grow(toAtLeast: 4 << 20)
      region.base.storeBytes(of: 8, toByteOffset: 3 << 20, as: UInt8.self)
      #expect(try peer.ask("read \(3 << 20)") == "8")
      try region.shrink(to: 2 << 20)
      #expect(try peer.ask("read \(3 << 20)") == "0")
      try region.grow(toAtLeast: 4 << 20)
      region.base.storeBytes(of: 9, toByteOffset: 3 << 20, as: UInt8.self)
      #expect(try peer.ask("refresh") == "\(4 << 20)")
      #expect(try peer.ask("read \(3 << 20)") == "9")
      try peer.kill()
    }
  }

  @Test("follows one that another grew and shrank, without touching what it lost")
  func follows() async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = directory.file("region")
      let region = try ResizableRegion(creating: path, options: RegionPeer.options)
      let peer = try RegionPeer()
      #expect(try peer.ask("open \(path)") == "0")
      #expect(try region.ensureMapped(upTo: 1) == false)
      #expect(try peer.ask("grow \(3 << 20)") == "\(3 << 20)")
      #expect(region.byteCount == 0)
      #expect(try region.ensureMapped(upTo: 3 << 20))
      #expect(try peer.ask("shrink 5000") == "8192")
      #expect(try region.refresh() == 8192)
      #expect(try isReservedOnly(region, 8192..<region.capacity))
      #expect(try region.ensureMapped(upTo: 8193) == false)
      #expect(region.faultedPageCount == 0)
      try peer.kill()
    }
  }

  @Test("can grow when a process died in the middle of growing")
  func deadHolder() async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = directory.file("region")
      let region = try ResizableRegion(creating: path, options: RegionPeer.options)
      try region.grow(toAtLeast: 1)
      let peer = try RegionPeer()
      #expect(try peer.ask("hold \(path)") == "held")
      // As if the process had extended the file, but not yet announced it; or had announced a smaller size,
      // but not yet truncated the file.
      let leftover = [UInt8](repeating: 0xFF, count: 8192)
      #expect(pwrite(region.descriptor, leftover, leftover.count, 4096 + 1 << 20) == 8192)
      try peer.kill()

      try region.grow(toAtLeast: 2 << 20)
      #expect(isZero(region, 0..<2 << 20))
    }
  }

  @Test("meets the limit of a file's size as an error, not as a signal")
  func sizeLimit() async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = directory.file("region")
      let region = try ResizableRegion(creating: path, options: RegionPeer.options)
      let peer = try RegionPeer()
      try peer.ask("open \(path)")
      #expect(try peer.ask("limit \(3 << 20)") == "limited")
      #expect(try peer.ask("grow \(2 << 20)") == "\(2 << 20)")
      let refusal = SystemError(operation: "grow to \(4096 + 3 << 20) bytes", path: path, code: EFBIG)
      #expect(try peer.ask("grow \(3 << 20)") == "error: \(refusal)")
      #expect(try peer.ask("write \(2 << 20 - 1) 5") == "written")
      #expect(try region.refresh() == 2 << 20)
      try peer.kill()
    }
  }
}

/// Whether a part of a region reads as zeros.
func isZero(_ region: ResizableRegion, _ range: Range<Int>) -> Bool {
  UnsafeRawBufferPointer(start: region.base + range.lowerBound, count: range.count).allSatisfy { $0 == 0 }
}
