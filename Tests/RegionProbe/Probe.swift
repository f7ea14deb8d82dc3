import CShims
import Glibc
import SharedMemory
import Synchronization
import TestSupport

/// A process that handles a region on behalf of a test: it reads one command per line and answers each with
/// one line.
struct Probe {
  private var region: ResizableRegion?
  private var lockedDescriptor: Int32?
  private var occupied: UnsafePointer<CChar>?

  /// Executes a command.
  mutating func answer(_ line: String) throws -> String {
    let words = line.split(separator: " ").map(String.init)
    func number(_ index: Int) throws(ProbeError) -> Int {
      guard index < words.count, let value = Int(words[index]) else { throw .badCommand }
      return value
    }
    guard let command = words.first else { throw ProbeError.badCommand }
    switch command {
    case "open":
      // Only one region at a time: two can't lie at the same address.
      region = nil
      region = try ResizableRegion(opening: words.dropFirst().joined(separator: " "))
      return "\(try opened.byteCount)"
    case "close":
      region = nil
      return "closed"
    case "occupy": return try occupy(number(1))
    case "occupied": return occupied.map { String(cString: $0) } ?? "nothing"
    case "read": return "\(try opened.base.load(fromByteOffset: number(1), as: UInt8.self))"
    case "write":
      try opened.base.storeBytes(of: UInt8(number(2)), toByteOffset: number(1), as: UInt8.self)
      return "written"
    case "refresh": return "\(try opened.refresh())"
    case "grow": return "\(try opened.grow(toAtLeast: number(1)))"
    case "shrink":
      try opened.shrink(to: number(1))
      return "\(try opened.byteCount)"
    case "faults": return "\(try opened.faultedPageCount)"
    case "fill": return try fill(letter: UInt8(number(1)), total: number(2))
    case "link": return try link(from: number(1), count: number(2))
    case "walk": return try PointerChain(at: number(1)).summary
    case "hold": return try hold(path: words.dropFirst().joined(separator: " "))
    case "limit":
      var limit = rlimit(rlim_cur: rlim_t(try number(1)), rlim_max: rlim_t(try number(1)))
      return setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 ? "limited" : "failed"
    default: throw ProbeError.badCommand
    }
  }

  private var opened: ResizableRegion {
    get throws(ProbeError) {
      guard let region else { throw .notOpen }
      return region
    }
  }

  /// Takes numbers from the counter at the region's beginning, and stores the letter at each number's place.
  ///
  /// The places lie behind the counter's page. The process that reaches the end grows the region.
  private func fill(letter: UInt8, total: Int) throws -> String {
    let region = try opened
    let counter = UnsafePointer(region.base.assumingMemoryBound(to: Atomic<Int>.self))
    var count = 0
    while true {
      let taken = counter.pointee.add(1, ordering: .relaxed).oldValue
      guard taken < total else { return "\(count)" }
      let place = 4096 + taken
      if try !region.ensureMapped(upTo: place + 1) { try region.grow(toAtLeast: place + 1) }
      let found = region.base.load(fromByteOffset: place, as: UInt8.self)
      guard found == 0 else { throw ProbeError.notZero(offset: place, found: found) }
      region.base.storeBytes(of: letter, toByteOffset: place, as: UInt8.self)
      count += 1
    }
  }

  /// Makes a chain of nodes in the region, growing it as needed, and returns the first one's address.
  private func link(from offset: Int, count: Int) throws -> String {
    let region = try opened
    try region.grow(toAtLeast: offset + count * PointerChain.nodeBytes)
    return "\(PointerChain(makingIn: region.base + offset, count: count).address)"
  }

  /// Maps other memory at an address.
  private mutating func occupy(_ address: Int) throws(ProbeError) -> String {
    let wanted = UnsafeMutableRawPointer(bitPattern: address)
    let found = mmap(wanted, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let found, found == wanted else { throw .notFree }
    strcpy(found.assumingMemoryBound(to: CChar.self), "mine")
    occupied = UnsafePointer(found.assumingMemoryBound(to: CChar.self))
    return "occupied"
  }

  /// Takes and keeps the lock of the region's file, as a process does that is about to grow the region.
  private mutating func hold(path: String) throws(ProbeError) -> String {
    let descriptor = Glibc.open(path, O_RDWR)
    guard descriptor >= 0, shim_lock_file(descriptor) == 0 else { throw .noLock }
    lockedDescriptor = descriptor
    return "held"
  }
}

enum ProbeError: Error {
  case badCommand, notOpen, notFree, noLock
  case notZero(offset: Int, found: UInt8)
}
