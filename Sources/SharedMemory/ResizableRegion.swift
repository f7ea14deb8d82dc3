import CShims
import Glibc
package import Platform
package import Synchronization

/// Memory that grows without moving, in a file that unrelated processes map at the same address.
///
/// A span of addresses is reserved first, which costs nothing; the file is laid over its beginning, and over
/// more of it as the file grows. So a pointer into the region stays good as long as the region, and means the
/// same in every process that has it. The file's header says at which address it lies (see `RegionHeader`).
///
/// **Life cycle.** One process makes the region, `init(anonymous:)` or `init(creating:)`; others join it with
/// `init(opening:)` or `init(joining:)`, at the same address or not at all. Each process may
/// `grow(toAtLeast:)`; what one process has added, the others have after `refresh()` or
/// `ensureMapped(upTo:)`. `shrink(to:)` takes from the end, `discard(offset:byteCount:)` from the middle,
/// where `allocate(offset:byteCount:)` puts it back. When the last reference ends, the region is unmapped and
/// closed; a named file stays until `remove()`, and processes that have it mapped keep it.
///
/// **What is promised.** All memory below `byteCount` has its blocks in the file, unless it was discarded: a
/// full file system is an error of the call that asks for more, never a signal at a write. Memory that is new
/// reads as zeros. A process that dies at any moment, growing or shrinking, leaves a region that other
/// processes can go on with.
///
/// **What is not.** The bytes are shared as they are: which process may write where, and when another one
/// sees it, is for the users to arrange. A process that can write the file is trusted not to cut it. If one
/// does so, touching the missing part gives zeros that are in this process alone, which `faultedPageCount`
/// shows.
///
/// All methods may be called on any thread.
@safe public final class ResizableRegion: Sendable {
  /// The first usable byte, at the beginning of a page; the same in all processes.
  ///
  /// The pointer never changes, and the addresses behind it are the region's own as long as the region lives.
  public nonisolated(unsafe) let base: UnsafeMutableRawPointer

  package let header: RegionHeader
  package let file: RegionFile
  package let span: AddressSpan
  /// The name that `remove()` takes away.
  package let name: String?
  package let guardSlot: Int32

  /// How much of the file is mapped here, header included; changed under the lock.
  package let mappedEnd: Atomic<Int>
  /// How many faults the mapping has been restored after; changed under the lock.
  package let repairedFaults = Atomic<UInt32>(0)
  package let changing = Lock()

  private init(
    _ file: consuming RegionFile, name: String?, over span: consuming AddressSpan, header: RegionHeader,
    end: Int
  ) throws(RegionError) {
    guard let start = unsafe UnsafeMutableRawPointer(bitPattern: span.start) else {
      throw .addressTaken(at: span.start, path: file.path)
    }
    try span.lay(file, over: 0..<end)
    unsafe base = unsafe start + RegionHeader.byteCount
    self.header = header
    self.file = file
    self.span = span
    self.name = name
    mappedEnd = Atomic(end)
    guardSlot = unsafe shim_guard_shared_region(start, end)
  }

  deinit {
    unsafe shim_unguard_region(base - RegionHeader.byteCount)
  }
}

// MARK: - Making and joining

extension ResizableRegion {
  /// Makes a region in memory that has no name.
  ///
  /// Another process joins it by the name `/proc/PID/fd/N`, or by a descriptor that it inherited.
  /// - Parameter label: The region's name in `/proc/PID/maps`.
  public convenience init(
    anonymous label: String, options: Options = Options()
  ) throws(RegionError) {
    try self.init(founding: try .anonymous(label), name: nil, options)
  }

  /// Makes a region in a file that did not exist, which only this user may open.
  ///
  /// It is empty at first. A process that opens the file before this has returned may find it too short.
  /// - Throws: `RegionError.system` with `EEXIST` if there is a file of this name.
  public convenience init(
    creating path: String, options: Options = Options()
  ) throws(RegionError) {
    let options = try options.rounded()
    let file = try RegionFile.create(path)
    do throws(RegionError) {
      try self.init(founding: file, name: path, options)
    } catch {
      // The file was made here, and no process can use it yet.
      unsafe unlink(path)
      throw error
    }
  }

  /// Joins the region in a file, at the address at which every process has it.
  ///
  /// - Parameter repairsTruncation: whether a file that lost its end is made as long as its header says, with
  ///   zeros for what is missing. Otherwise that is an error.
  /// - Throws: `RegionError.addressTaken` if there is something else at the address in this process;
  ///   `RegionError.damaged` for a file that is no region.
  public convenience init(
    opening path: String, repairsTruncation: Bool = false
  ) throws(RegionError) {
    try self.init(joining: try .open(path), name: path, repairsTruncation: repairsTruncation)
  }

  /// Joins the region behind a descriptor, which stays the caller's.
  ///
  /// - Throws: `RegionError.addressTaken` if there is something else at the address in this process;
  ///   `RegionError.damaged` for a file that is no region.
  public convenience init(joining descriptor: Int32) throws(RegionError) {
    // Opened anew: the lock between processes goes by openings, and an inherited descriptor shares one.
    let file = try RegionFile.open("/proc/self/fd/\(descriptor)")
    try self.init(joining: file, name: nil, repairsTruncation: false)
  }

  private convenience init(
    founding file: consuming RegionFile, name: String?, _ options: Options
  ) throws(RegionError) {
    let options = try options.rounded()
    let span = try Self.reserveSpan(options, for: file.path)
    let header = RegionHeader(
      address: span.start, capacity: options.spanBytes, growthBytes: options.growthBytes)
    let end = RegionHeader.byteCount
    try file.extend(over: 0..<end)
    try file.write(header.encoded(endingAt: UInt64(end)), at: 0)
    try self.init(file, name: name, over: span, header: header, end: end)
  }

  private convenience init(
    joining file: consuming RegionFile, name: String?, repairsTruncation: Bool
  ) throws(RegionError) {
    let (header, end) = try Self.inspect(file, repairsTruncation: repairsTruncation)
    let span = try AddressSpan.reserve(at: header.address, byteCount: header.spanBytes, for: file.path)
    guard let span else { throw .addressTaken(at: header.address, path: file.path) }
    try self.init(file, name: name, over: span, header: header, end: end)
    // The region may have changed since its header was read.
    try refresh()
  }

  /// Searches until the address that was asked for is granted.
  private static func reserveSpan(
    _ options: Options, for path: String
  ) throws(RegionError) -> AddressSpan {
    for address in options.candidates {
      let span = try AddressSpan.reserve(
        at: address, byteCount: RegionHeader.byteCount + options.spanBytes, for: path)
      if let span { return span }
    }
    throw .noAddressFree(tries: options.searchTries, path: path)
  }

  /// Reads what a file says of itself, while no other process changes it.
  private static func inspect(
    _ file: borrowing RegionFile, repairsTruncation: Bool
  ) throws(RegionError) -> (RegionHeader, end: Int) {
    try file.withLock { () throws(RegionError) in
      let bytes = try file.head(RegionHeader.layoutBytes)
      let header = try RegionHeader(bytes, path: file.path)
      let end = try header.checked(end: RegionHeader.end(in: bytes), path: file.path)
      let present = try file.byteCount()
      if present < end {
        guard repairsTruncation else { throw .cut(to: present, from: end, path: file.path) }
        try file.extend(over: present..<end)
      }
      return (header, end)
    }
  }
}

// MARK: - What it is

extension ResizableRegion {
  /// The file's name, or what stands for it in messages.
  public var path: String { file.path }

  /// How large it can become.
  public var capacity: Int { header.capacity }

  /// The step in which it grows.
  public var growthBytes: Int { header.growthBytes }

  /// The file's descriptor, valid as long as the region; it is closed when another program is executed.
  public var descriptor: Int32 { file.descriptor }

  /// How much is usable here, as of now; one atomic load.
  public var byteCount: Int { mappedEnd.load(ordering: .acquiring) - RegionHeader.byteCount }

  /// How many bytes the file's blocks take on the file system, the header included.
  public func allocatedByteCount() throws(RegionError) -> Int { try file.allocatedByteCount() }

  /// How many pages were touched here for which the file had nothing, and became zeros of this process alone.
  ///
  /// What was written to them is lost. 0 unless a process cut the file, or this one used what had been given back by
  /// shrinking, or touched a discarded part while the file system was full.
  public var faultedPageCount: Int { Int(shim_guard_faults(guardSlot)) }

  /// Removes the file's name; processes that have the file mapped keep it.
  ///
  /// Nothing happens to a region that has no name, nor to a file that has taken the name since.
  public func remove() throws(RegionError) {
    let identity = try file.state().identity
    guard let name, case .success(let found) = FileState.of(path: name), found.identity == identity else {
      return
    }
    guard unsafe unlink(name) == 0 || errno == ENOENT else {
      throw .system(SystemError(operation: "remove", path: name))
    }
  }
}
