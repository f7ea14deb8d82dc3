/// What the first page of a region's file says; the usable bytes begin on the next.
///
///     0  magic         8      "SPILLRGN" as bytes of a native integer
///     8  version       4      1
///    12  header bytes  4      one page
///    16  address       8      where the header lies in every process that has the region mapped
///    24  capacity      8      usable bytes that the reserved span behind the header can hold
///    32  growth        8      the step in which it grows
///    40  checksum      8      FNV-1a of the 40 bytes before
///    64  end           8      atomic; how many bytes of the file count, the header included; on a cache line of
///                             its own
///
/// The fields before the end never change, so they are read once, before anything is mapped, and only
/// if all of them are possible.
package struct RegionHeader: Equatable, Sendable {
  static let magic = UInt64(bigEndian: 0x5350_494C_4C52_474E)
  static let version: UInt32 = 1
  /// How many bytes of the first page have a meaning.
  static let layoutBytes = 72
  private static let checkedBytes = 40
  static let endOffset = 64
  /// Addresses a process can have at most; more than that is a damaged header.
  private static let addressLimit: UInt64 = 1 << 56
  static let capacityMax = 1 << 46

  let address: UInt
  let capacity: Int
  let growthBytes: Int

  /// The first page is the header's alone: what follows starts on a page too.
  static var byteCount: Int { Page.byteCount }
  /// The addresses that the header and all that may follow it take.
  var spanBytes: Int { Self.byteCount + capacity }

  /// The bytes of a header whose region ends there.
  func encoded(endingAt end: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(native: Self.magic)
    bytes.append(native: Self.version)
    bytes.append(native: UInt32(Self.byteCount))
    bytes.append(native: UInt64(address))
    bytes.append(native: UInt64(bitPattern: Int64(capacity)))
    bytes.append(native: UInt64(bitPattern: Int64(growthBytes)))
    bytes.append(native: Self.checksum(bytes[...]))
    bytes += [UInt8](repeating: 0, count: Self.endOffset - bytes.count)
    bytes.append(native: end)
    return bytes
  }

  /// Reads a header out of a file that any process may have written.
  ///
  /// - Throws: `RegionError.damaged` with the first thing that is wrong.
  init(_ bytes: [UInt8], path: String) throws(RegionError) {
    func check(_ holds: Bool, _ reason: @autoclosure () -> String) throws(RegionError) {
      if !holds { throw .damaged(path: path, reason: reason()) }
    }
    try check(bytes.count >= Self.layoutBytes, "shorter than a header")
    try check(bytes.native(UInt64.self, at: 0) == Self.magic, "no region begins like this")
    let version = bytes.native(UInt32.self, at: 8)
    try check(version == Self.version, "version \(version); this program knows \(Self.version)")
    let sum = bytes.native(UInt64.self, at: Self.checkedBytes)
    try check(sum == Self.checksum(bytes[..<Self.checkedBytes]), "the header's checksum is wrong")
    // The checksum finds accidental changes, not deliberate ones.
    let header = bytes.native(UInt32.self, at: 12)
    try check(
      header == UInt32(Self.byteCount), "a header of \(header) bytes where pages have \(Self.byteCount)")
    let address = bytes.native(UInt64.self, at: 16)
    let capacity = bytes.native(UInt64.self, at: 24)
    let growth = bytes.native(UInt64.self, at: 32)
    try check(
      capacity > 0 && capacity <= UInt64(Self.capacityMax) && Page.isWhole(capacity),
      "a capacity of \(capacity) bytes")
    try check(
      address > 0 && Page.isWhole(address) && address < Self.addressLimit - 2 * UInt64(Self.capacityMax),
      "an address of 0x\(String(address, radix: 16))")
    try check(growth > 0 && growth <= capacity && Page.isWhole(growth), "growth by \(growth) bytes")
    self.init(address: UInt(address), capacity: Int(capacity), growthBytes: Int(growth))
  }

  init(address: UInt, capacity: Int, growthBytes: Int) {
    self.address = address
    self.capacity = capacity
    self.growthBytes = growthBytes
  }

  /// The end in a header's bytes, which `init` has found to be long enough.
  static func end(in bytes: [UInt8]) -> UInt64 { bytes.native(UInt64.self, at: endOffset) }

  /// Where the region ends: the number from the file, once it is checked.
  ///
  /// - Throws: `RegionError.damaged` if that is before the header's end, behind the span's, or inside a page.
  func checked(end: UInt64, path: String) throws(RegionError) -> Int {
    guard end >= UInt64(Self.byteCount), end <= UInt64(spanBytes), Page.isWhole(end) else {
      throw .damaged(path: path, reason: "a region that ends at \(end)")
    }
    return Int(end)
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { sum, byte in (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }
}

extension [UInt8] {
  fileprivate mutating func append(native value: some FixedWidthInteger) {
    unsafe Swift.withUnsafeBytes(of: value) { unsafe append(contentsOf: $0) }
  }

  fileprivate func native<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type, at offset: Int) -> Value
  {
    unsafe withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
  }
}
