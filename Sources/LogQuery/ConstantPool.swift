/// The bytes that the tests of a query compare with, in plain memory that stays where it is.
final class ConstantPool {
  private var buffers: [UnsafeMutableRawBufferPointer] = []

  deinit {
    for buffer in buffers { buffer.deallocate() }
  }

  /// Copies some bytes, to be used as long as the pool lives.
  func keep(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    buffer.copyBytes(from: bytes)
    buffers.append(buffer)
    return UnsafeRawBufferPointer(buffer)
  }
}
