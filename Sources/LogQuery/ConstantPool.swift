/// The bytes that the tests of a query compare with, in plain memory that stays where it is.
@safe final class ConstantPool {
  // Invariant: the buffers are this object's alone, written before they are handed out, and freed with it.

  private var buffers: [UnsafeMutableRawBufferPointer] = unsafe []

  deinit {
    unsafe buffers.forEach { unsafe $0.deallocate() }
  }

  /// Copies some bytes, to be used as long as the pool lives.
  func keep(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    unsafe buffer.copyBytes(from: bytes)
    unsafe buffers.append(buffer)
    return UnsafeRawBufferPointer(buffer)
  }
}
