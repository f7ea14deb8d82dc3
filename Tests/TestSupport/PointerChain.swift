/// Linked nodes in raw memory, each holding the next one's address.
///
/// Each is two words: the next one's address, or 0, and a number, which counts from 1.
public struct PointerChain {
  /// The size of a node, in bytes.
  public static let nodeBytes = 16

  /// Where the first node lies.
  public let address: Int

  /// The chain that begins at an address.
  public init(at address: Int) {
    self.address = address
  }

  /// Makes a chain; the memory must have room for `count` nodes.
  public init(makingIn memory: UnsafeMutableRawPointer, count: Int) {
    for index in 0..<count {
      let node = memory + index * Self.nodeBytes
      let next = index + 1 < count ? Int(bitPattern: node + Self.nodeBytes) : 0
      node.storeBytes(of: next, as: Int.self)
      node.storeBytes(of: index + 1, toByteOffset: 8, as: Int.self)
    }
    address = Int(bitPattern: memory)
  }

  /// How many nodes there are, and the sum of their numbers, found by following the addresses.
  public var summary: String {
    var count = 0
    var sum = 0
    var next = address
    while let node = UnsafeRawPointer(bitPattern: next) {
      count += 1
      sum += node.load(fromByteOffset: 8, as: Int.self)
      next = node.load(as: Int.self)
    }
    return "\(count) nodes, sum \(sum)"
  }
}
