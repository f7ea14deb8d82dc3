import Compression
import TestSupport
import Testing

/// Decoding gives the same result, however the input is cut and however little room there is for the output.
struct DecompressorTests {
  /// The result of decoding: bytes, and a fault if there was one.
  struct Outcome: Equatable, CustomStringConvertible {
    var bytes: [UInt8] = []
    var fault: DecompressionError?

    var description: String {
      "\(bytes.count) bytes, \(fault.map { "\($0.kind) at \($0.offset): \($0)" } ?? "no fault")"
    }
  }

  /// How many bytes of input and of output each step gets.
  private static let chunkings = [
    (1 << 20, 1 << 20), (1, 1 << 20), (1 << 20, 1), (7, 5), (1000, 64), (13, 70_000),
  ]

  /// Text that compresses well, with stretches that don't compress.
  private static let text = text(lines: 3000, noise: 20_000, blanks: 150_000)
  private static let shortText = text(lines: 200, noise: 3000, blanks: 1000)

  private static func text(lines: Int, noise: Int, blanks: Int) -> [UInt8] {
    var random = SeededGenerator(seed: 5)
    var bytes: [UInt8] = []
    for index in 0..<lines { bytes += Array("line \(index % 700) of many\n".utf8) }
    bytes += (0..<noise).map { _ in UInt8.random(in: 0...255, using: &random) }
    return bytes + [UInt8](repeating: 0x20, count: blanks)
  }

  private static func decode(
    _ compressed: [UInt8], _ format: CompressionFormat, input: Int, output: Int
  ) throws -> Outcome {
    var decompressor = try Decompressor(format)
    var outcome = Outcome()
    var chunk = [UInt8](repeating: 0, count: output)
    var consumed = 0
    do throws(DecompressionError) {
      while consumed < compressed.count || decompressor.isHoldingBack {
        let end = min(consumed + input, compressed.count)
        let piece = Array(compressed[consumed..<end])
        let progress = try step(&decompressor, piece, &chunk)
        outcome.bytes += chunk[..<progress.produced]
        consumed += progress.consumed
        // A step that neither consumes nor produces anything would be repeated for ever.
        if progress.consumed == 0, progress.produced == 0, !piece.isEmpty {
          Issue.record("stuck at \(consumed)")
          return outcome
        }
      }
      try decompressor.finish()
    } catch {
      outcome.fault = error
    }
    return outcome
  }

  private static func step(
    _ decompressor: inout Decompressor, _ piece: [UInt8], _ chunk: inout [UInt8]
  ) throws(DecompressionError) -> Decompressor.Progress {
    let span = piece.span
    var room = chunk.mutableSpan
    var bytes = room.mutableBytes
    return try decompressor.decode(span.bytes, into: &bytes)
  }

  /// Decodes in every way and expects the same each time.
  @discardableResult
  private static func verify(
    _ compressed: [UInt8], _ format: CompressionFormat, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Outcome {
    let expected = try decode(compressed, format, input: 1 << 20, output: 1 << 20)
    for (input, output) in chunkings.dropFirst() {
      let outcome = try decode(compressed, format, input: input, output: output)
      #expect(
        outcome == expected,
        "\(what), \(input) in, \(output) out: \(outcome) instead of \(expected)",
        sourceLocation: sourceLocation)
    }
    return expected
  }

  private static func format(_ compressor: Compressor) -> CompressionFormat {
    compressor.isGzip ? .gzip : .zstd
  }

  @Test(arguments: Compressor.allCases)
  func `whole data is decoded, however it is cut`(compressor: Compressor) async throws {
    try await onOwnThread {
      let compressed = try compressor.compress(Self.text)
      let format = CompressionFormat(beginning: compressed.span.bytes)
      #expect(format == Self.format(compressor))
      let outcome = try Self.verify(compressed, Self.format(compressor), "whole")
      #expect(outcome.fault == nil)
      #expect(outcome.bytes == Self.text)
    }
  }

  @Test(arguments: Compressor.allCases)
  func `data cut off gives what was whole, and says where it ends`(compressor: Compressor) async throws {
    try await onOwnThread {
      let compressed = try compressor.compress(Self.shortText, partByteCount: 2000)
      for count in stride(from: 1, to: compressed.count, by: 61) {
        let outcome = try Self.verify(
          Array(compressed[..<count]), Self.format(compressor), "the first \(count) bytes")
        #expect(outcome.bytes.elementsEqual(Self.shortText.prefix(outcome.bytes.count)))
        guard let fault = outcome.fault else {
          #expect(outcome.bytes.count % 2000 == 0, "a complete member or frame")
          continue
        }
        #expect(fault.kind == .cutOff && fault.offset == count, "\(count): \(outcome)")
      }
    }
  }

  @Test(arguments: Compressor.allCases)
  func `a changed byte is noticed or without effect`(compressor: Compressor) async throws {
    try await onOwnThread {
      let text = Array(Self.text[..<900])
      let compressed = try compressor.compress(text, partByteCount: 300)
      var noticed = 0
      for index in compressed.indices {
        for mask: UInt8 in [1 << UInt8(index % 8), 0xFF] {
          var changed = compressed
          changed[index] ^= mask
          let outcome = try Self.verify(
            changed, Self.format(compressor), "byte \(index) changed by \(mask)")
          if outcome.fault == nil {
            // Only metadata beside the data (names, times, skippable frames) can change without a fault.
            #expect(outcome.bytes == text || compressor == .zstdFrames, "byte \(index), \(mask)")
          } else {
            noticed += 1
          }
        }
      }
      #expect(noticed > compressed.count)
    }
  }

  @Test(arguments: CompressionFormat.allCases)
  func `random bytes behind a beginning come to an end`(format: CompressionFormat) throws {
    var random = SeededGenerator(seed: 99)
    let beginning: [UInt8] =
      format == .gzip ? [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] : [0x28, 0xb5, 0x2f, 0xfd]
    for _ in 0..<300 {
      let bytes = (0..<Int.random(in: 1...400, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      let outcome = try Self.verify(beginning + bytes, format, "\(random)")
      #expect(outcome.fault != nil)
    }
  }

  @Test func `what follows the data is told from padding`() async throws {
    try await onOwnThread {
      let member = try Compressor.gzip.compress(Self.shortText)
      let zeros = [UInt8](repeating: 0, count: 700)
      #expect(try Self.verify(member + zeros, .gzip, "padded").fault == nil)
      let again = try Self.verify(member + zeros + member, .gzip, "a member behind padding")
      #expect(again == Outcome(bytes: Self.shortText + Self.shortText))
      for (tail, distance) in [([UInt8(0x1f)] + Array("x".utf8), 0), (zeros + Array("x".utf8), 700)] {
        let outcome = try Self.verify(member + tail, .gzip, "garbage")
        #expect(outcome.bytes == Self.shortText)
        #expect(outcome.fault?.kind == .trailingGarbage)
        #expect(outcome.fault?.offset == member.count + distance)
      }
      let frame = try Compressor.zstd.compress(Self.shortText)
      let outcome = try Self.verify(frame + [0, 0, 0, 0, 0], .zstd, "zeros behind a frame")
      #expect(outcome.bytes == Self.shortText)
      #expect(outcome.fault?.kind == .trailingGarbage)
      #expect(outcome.fault?.offset == frame.count)
    }
  }

  @Test func `wrong sums are named, behind all the data`() async throws {
    try await onOwnThread {
      // A gzip member ends with a checksum and a length, a zstd frame with a checksum.
      for (compressor, distance) in [(Compressor.gzip, 8), (.gzip, 1), (.zstd, 1)] {
        var compressed = try compressor.compress(Self.shortText)
        compressed[compressed.count - distance] ^= 0x10
        let outcome = try Self.verify(compressed, Self.format(compressor), "\(compressor)")
        #expect(outcome.bytes == Self.shortText)
        #expect(outcome.fault?.kind == .wrongChecksum)
      }
    }
  }

  @Test func `a frame may ask for a window of 128 MiB and no more`() throws {
    // Behind the magic: no content size, no checksum; the window's exponent and mantissa; an empty last
    // block.
    let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0]
    let allowed = try Self.verify(magic + [17 << 3, 1, 0, 0], .zstd, "128 MiB")
    #expect(allowed.fault == nil)
    for window: UInt8 in [17 << 3 | 1, 18 << 3, 0xFF] {
      let refused = try Self.verify(magic + [window, 1, 0, 0], .zstd, "more")
      #expect(refused.fault?.kind == .windowTooLarge)
    }
  }
}
