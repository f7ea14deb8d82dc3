/// One step of writing a line, with everything it needs at hand and nothing to be counted.
@safe enum RenderStep {
  // Invariant: texts lie in a `TextPool` that the owner of the steps keeps as long as them.

  /// Text from the pool.
  case literal(PooledText)
  /// A value as it was logged, or what stands for it.
  case value(slot: Int, missing: PooledText)
  /// A value that must be a number, or what stands for it.
  case number(slot: Int, missing: PooledText)
  /// A value, or what stands for it if it is missing or empty.
  case column(slot: Int, missing: PooledText, ValuePlacement)
  /// The start time in strftime's words, by one of the renderer's clocks.
  case time(clock: Int)
  /// Method, absolute URL and protocol.
  case requestLine
  /// The user's name, or what stands for it.
  case user(missing: PooledText)
  /// Anything else: the piece at an index of the format.
  case item(Int)
}

/// Bytes in a pool, which keeps them where they are.
typealias PooledText = UnsafeRawBufferPointer

/// The constant texts of a format in one piece of memory, written once.
///
/// Owned by whoever makes it and calls `deallocate`.
@safe struct TextPool {
  // Invariant: `memory` has room for all texts; it is written in `init` alone.

  private let memory: UnsafeMutableRawBufferPointer

  /// Lays texts one behind the other and tells where each has come to lie.
  init(_ texts: [[UInt8]], places: inout [PooledText]) {
    unsafe memory = .allocate(byteCount: texts.reduce(1) { $0 + $1.count }, alignment: 1)
    var used = 0
    for text in texts {
      unsafe UnsafeMutableRawBufferPointer(rebasing: memory[used...]).copyBytes(from: text)
      unsafe places.append(PooledText(rebasing: memory[used..<used + text.count]))
      used += text.count
    }
  }

  func deallocate() { unsafe memory.deallocate() }
}
