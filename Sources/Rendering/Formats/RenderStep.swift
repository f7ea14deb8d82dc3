/// One step of writing a line: something that depends on the transaction, then constant text.
///
/// Plain memory that holds everything needed, so that a line is one walk over its steps.
@safe struct RenderStep {
  // Invariant: texts are in a `TextPool`, which the owner of the steps keeps as long as the steps.

  /// What is written in front of the constant text.
  enum Kind: UInt8 {
    case nothing
    /// A value, copied as far as it needs no escaping.
    case plain
    /// A value with any other escaping.
    case value
    /// A value, or its replacement if it is missing or empty.
    case column
    /// A value between quotation marks, or the replacement for all of it.
    case string
    /// A value that must be a number, or its replacement.
    case number
    /// The start time by a format of strftime, by one of the renderer's clocks.
    case time
    /// The user's name, or its replacement.
    case user
    /// The beginning of the absolute URL in a request line.
    case host
    case duration
    case timeNumber
    /// The start time by RFC 3339.
    case timestamp
    case hitMiss
    case handling
    case side
    case vxid
    /// Anything else: the piece at an index of the format.
    case item
  }

  var kind: Kind
  /// How its value is escaped.
  var placement = ValuePlacement.text
  /// A slot, a clock, a piece of the format, or the kind of a number.
  var index: UInt32 = 0
  /// The replacement for a missing value.
  var missing: PooledText
  /// The constant text behind the value.
  var text: PooledText
}

/// Constant text that is copied sixteen bytes at a time.
@safe struct PooledText {
  // Invariant: `count` bytes can be read from `start` on, and `padding` more.

  let start: UnsafeRawPointer
  let count: Int

  /// How many bytes can be read behind any text.
  static let padding = 15
}

/// The constant texts of a format in one piece of memory, written once.
///
/// The caller owns the memory and calls `deallocate`.
@safe struct TextPool {
  // Invariant: `memory` has room for all texts and the padding; it is written in `init` alone.

  private let memory: UnsafeMutableRawPointer

  /// Stores texts one behind the other and returns the place of each.
  init(_ texts: [[UInt8]], places: inout [PooledText]) {
    let byteCount = texts.reduce(PooledText.padding) { $0 + $1.count }
    unsafe memory = .allocate(byteCount: byteCount, alignment: 16)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    var used = 0
    for text in texts {
      unsafe UnsafeMutableRawBufferPointer(start: memory + used, count: text.count).copyBytes(from: text)
      places.append(unsafe PooledText(start: memory + used, count: text.count))
      used += text.count
    }
  }

  func deallocate() { unsafe memory.deallocate() }
}
