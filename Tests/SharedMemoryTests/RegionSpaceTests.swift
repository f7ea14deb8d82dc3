import Glibc
import Platform
import SharedMemory
import TestSupport
import Testing

@Suite("A region and the space there is")
struct RegionSpaceTests {
  @Test(
    "is refused more than a full file system has, uses what it got, and grows when there is room again",
    .enabled(if: MountedDirectory.isPossible))
  func fullFileSystem() throws {
    let mounted = try MountedDirectory(type: "tmpfs", options: "size=8m")
    let path = "\(mounted.path)/region"
    // The filler is truncated rather than removed: a process that another test is just starting may hold it
    // for a moment.
    let filler = "\(mounted.path)/filler"
    let region = try ResizableRegion(creating: path)
    try writeFile(filler, [UInt8](repeating: 1, count: 4 << 20))

    for round in 0..<3 {
      var refusal: RegionError?
      while refusal == nil {
        do throws(RegionError) {
          try region.grow(toAtLeast: region.byteCount + 1)
        } catch {
          refusal = error
        }
      }
      guard case .noSpace(let error) = refusal else {
        Issue.record("\(String(describing: refusal))")
        return
      }
      #expect(error.code == ENOSPC)
      #expect(error.path == path)
      #expect(region.byteCount == 3 << 20)
      // All of the region has blocks: a page without one would cause a signal here.
      memset(region.base, Int32(round + 1), region.byteCount)
      #expect(region.faultedPageCount == 0)
      #expect(try region.allocatedByteCount() == 4096 + region.byteCount)

      truncate(filler, 0)
      #expect(try region.grow(toAtLeast: 5 << 20) == 5 << 20)
      #expect(region.base.load(fromByteOffset: 3 << 20 - 1, as: UInt8.self) == UInt8(round + 1))
      #expect(isZero(region, 3 << 20..<5 << 20))
      try region.shrink(to: 1 << 20)
      try writeFile(filler, [UInt8](repeating: 1, count: 4 << 20))
    }
  }

  @Test(
    "cannot even begin on a full file system, and leaves no file there",
    .enabled(if: MountedDirectory.isPossible))
  func noRoomForTheHeader() throws {
    let mounted = try MountedDirectory(type: "tmpfs", options: "size=64k")
    try writeFile("\(mounted.path)/filler", [UInt8](repeating: 1, count: 64 << 10))
    let path = "\(mounted.path)/region"
    let error = SystemError(operation: "grow to 4096 bytes", path: path, code: ENOSPC)
    #expect(throws: RegionError.noSpace(error)) { try ResizableRegion(creating: path) }
    #expect(access(path, F_OK) != 0)
  }

  @Test("gives a part's blocks back, reads zeros there, and has them again")
  func discarding() throws {
    let region = try ResizableRegion(anonymous: "discarding")
    try region.grow(toAtLeast: 4 << 20)
    memset(region.base, 0xFF, 4 << 20)
    let full = try region.allocatedByteCount()

    try region.discard(offset: 1 << 20, byteCount: 1 << 20)
    #expect(try region.allocatedByteCount() == full - 1 << 20)
    try region.allocate(offset: 1 << 20, byteCount: 1 << 20)
    #expect(try region.allocatedByteCount() == full)
    #expect(isZero(region, 1 << 20..<2 << 20))
    #expect(region.base.load(fromByteOffset: 1 << 20 - 1, as: UInt8.self) == 0xFF)
    #expect(region.base.load(fromByteOffset: 2 << 20, as: UInt8.self) == 0xFF)

    // Existing data stay; for a part of a page, the bytes are cleared.
    try region.allocate(offset: 0, byteCount: 4 << 20)
    #expect(region.base.load(as: UInt8.self) == 0xFF)
    try region.discard(offset: 10, byteCount: 20)
    #expect(isZero(region, 10..<30))
    #expect(region.base.load(fromByteOffset: 9, as: UInt8.self) == 0xFF)
    #expect(region.base.load(fromByteOffset: 30, as: UInt8.self) == 0xFF)
    #expect(region.byteCount == 4 << 20)
  }

  @Test("refuses parts that it does not have")
  func outside() throws {
    let region = try ResizableRegion(anonymous: "outside")
    try region.grow(toAtLeast: 1 << 20)
    for (offset, count) in [(-1, 1), (0, -1), (0, 1 << 20 + 1), (1 << 20, 1), (.max, 1), (1, .max)] {
      let error = RegionError.outOfRange(offset: offset, byteCount: count, limit: 1 << 20, path: region.path)
      #expect(throws: error) { try region.discard(offset: offset, byteCount: count) }
      #expect(throws: error) { try region.allocate(offset: offset, byteCount: count) }
    }
    try region.discard(offset: 1 << 20, byteCount: 0)
  }

  @Test(
    "says when a part can't be had again, and survives being touched there all the same",
    .enabled(if: MountedDirectory.isPossible))
  func discardedOnFullFileSystem() throws {
    let mounted = try MountedDirectory(type: "tmpfs", options: "size=4m")
    let region = try ResizableRegion(creating: "\(mounted.path)/region")
    try region.grow(toAtLeast: 2 << 20)
    memset(region.base, 0xFF, 2 << 20)
    try region.discard(offset: 0, byteCount: 1 << 20)
    let filler = "\(mounted.path)/filler"
    #expect(throws: SupportError.self) { try writeFile(filler, [UInt8](repeating: 1, count: 4 << 20)) }

    #expect {
      try region.allocate(offset: 0, byteCount: 1 << 20)
    } throws: { error in
      if case RegionError.noSpace(let error) = error { error.code == ENOSPC } else { false }
    }
    region.base.storeBytes(of: 5, toByteOffset: 8192, as: UInt8.self)
    #expect(region.faultedPageCount == 1)
    #expect(region.base.load(fromByteOffset: 1 << 20, as: UInt8.self) == 0xFF)

    truncate(filler, 0)
    try region.allocate(offset: 0, byteCount: 1 << 20)
    #expect(isZero(region, 0..<1 << 20))
    // The memory belongs to the file again: what is written can be read from the file.
    region.base.storeBytes(of: 6, toByteOffset: 8192, as: UInt8.self)
    var byte: UInt8 = 0
    #expect(pread(region.descriptor, &byte, 1, 4096 + 8192) == 1)
    #expect(byte == 6)
    #expect(region.faultedPageCount == 1)
  }

  @Test(
    "works where blocks can be neither asked for nor given back", .enabled(if: MountedDirectory.isPossible))
  func withoutBlocks() throws {
    let mounted = try MountedDirectory(type: "ramfs")
    let region = try ResizableRegion(creating: "\(mounted.path)/region")
    try region.grow(toAtLeast: 1)
    memset(region.base, 0xFF, 1 << 20)
    try region.grow(toAtLeast: 3 << 20)
    #expect(isZero(region, 1 << 20..<3 << 20))
    try region.discard(offset: 4096, byteCount: 4096)
    #expect(isZero(region, 4096..<8192))
    #expect(region.base.load(fromByteOffset: 8192, as: UInt8.self) == 0xFF)
    try region.allocate(offset: 4096, byteCount: 4096)
    try region.shrink(to: 8192)
    try region.grow(toAtLeast: 3 << 20)
    #expect(isZero(region, 4096..<3 << 20))
  }

  @Test(
    "gets all of a step or nothing where blocks can't be asked for",
    .enabled(if: MountedDirectory.isFilePossible))
  func withoutBlocksAndFull() throws {
    let directory = try TemporaryDirectory()
    let mounted = try MountedDirectory(oldFileSystemOf: 8 << 20, in: directory)
    let path = "\(mounted.path)/region"
    let region = try ResizableRegion(creating: path, options: .init(growthBytes: 3 << 20))
    try region.grow(toAtLeast: 6 << 20)
    let taken = try region.allocatedByteCount()
    let error = SystemError(operation: "write", path: path, code: ENOSPC)
    #expect(throws: RegionError.noSpace(error)) { try region.grow(toAtLeast: 9 << 20) }
    #expect(try region.allocatedByteCount() == taken)
    #expect(region.byteCount == 6 << 20)
    memset(region.base, 0xFF, 6 << 20)
    #expect(region.faultedPageCount == 0)
  }

  @Test("has on the disk what was synchronized")
  func synchronizing() throws {
    let directory = try TemporaryDirectory()
    let region = try ResizableRegion(creating: directory.file("region"))
    try region.grow(toAtLeast: 1)
    region.base.storeBytes(of: 3, as: UInt8.self)
    try region.synchronize()
    #expect(try readFile(directory.file("region"))[4096] == 3)
  }
}
