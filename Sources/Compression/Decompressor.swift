/// Decodes compressed data that comes piece by piece, for pieces of any size.
///
/// Memory is bounded, and no input is decoded further than there is room for the result.
public struct Decompressor: ~Copyable {
  /// How far one call came.
  public struct Progress: Sendable, Equatable {
    /// How many bytes of the input are done with.
    public var consumed = 0
    /// How many bytes were put at the beginning of the output.
    public var produced = 0
  }

  private enum State {
    /// In front of a member or frame, or of the end.
    case between
    case lead(Lead)
    case inside
  }

  /// The format that the data is decoded as.
  public let format: CompressionFormat
  /// Where in the compressed data reading goes on, in bytes.
  public private(set) var offset = 0
  /// Where in the compressed data the last complete member or frame ends, in bytes.
  public private(set) var wholeByteCount = 0

  private let decoder: any StreamDecoder
  private var state = State.between
  /// Where the member or frame begins that is being decoded.
  private var partOffset = 0
  private var hasWholePart = false
  /// Whether the decoder may have kept output back because there was no room for it.
  private var mayOweOutput = false
  /// The fault that was found behind what the last call handed out.
  private var failure: DecompressionError?

  /// How far back a frame may refer; a decoder keeps that much in memory.
  public static var windowByteCountMax: Int { 128 << 20 }

  /// Prepares for data of a format.
  ///
  /// - Throws: `DecompressionError` of kind `outOfMemory`.
  public init(_ format: CompressionFormat) throws(DecompressionError) {
    let decoder: (any StreamDecoder)? =
      switch format {
      case .gzip: GzipDecoder()
      case .zstd: ZstdDecoder(windowByteCountMax: Self.windowByteCountMax)
      }
    guard let decoder else {
      throw DecompressionError(format: format, kind: .outOfMemory, offset: 0, detail: nil)
    }
    self.format = format
    self.decoder = decoder
  }

  /// Whether more may come out without more input, as the output was full.
  public var isHoldingBack: Bool { mayOweOutput || failure != nil }

  /// Decodes until the input is used up or the output is full.
  ///
  /// If the output isn't full, everything that can be decoded by now has been, up to a fault.
  ///
  /// - Throws: `DecompressionError`, in the first call that finds nothing left in front of the fault, and
  ///   in every later one.
  public mutating func decode(
    _ input: RawSpan, into output: inout MutableRawSpan
  ) throws(DecompressionError) -> Progress {
    var progress = Progress()
    unsafe input.withUnsafeBytes { input in
      unsafe output.withUnsafeMutableBytes { output in
        while failure == nil, progress.produced < output.count,
          progress.consumed < input.count || mayOweOutput
        {
          unsafe decodeStep(
            UnsafeRawBufferPointer(rebasing: input[progress.consumed...]),
            into: UnsafeMutableRawBufferPointer(rebasing: output[progress.produced...]), &progress)
        }
      }
    }
    if progress.produced == 0, let failure { throw failure }
    return progress
  }

  /// Says that there is no more input.
  ///
  /// - Throws: `DecompressionError` if there should be.
  public mutating func finish() throws(DecompressionError) {
    if failure == nil {
      switch state {
      case .between: break
      case .lead, .inside: fail(.cutOff, at: offset)
      }
    }
    if let failure { throw failure }
  }

  // MARK: Steps

  private mutating func decodeStep(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer,
    _ progress: inout Progress
  ) {
    switch state {
    case .between:
      guard let first = unsafe input.first else { return }
      if first == 0, hasWholePart, format.allowsPadding {
        let zeros = unsafe input.prefix { $0 == 0 }.count
        advance(by: zeros, &progress)
      } else {
        partOffset = offset
        state = .lead(Lead())
        unsafe readLead(from: input, into: output, &progress)
      }
    case .lead: unsafe readLead(from: input, into: output, &progress)
    case .inside:
      let step = unsafe decoder.decode(input, into: output)
      advance(by: step.consumed, &progress)
      progress.produced += step.produced
      mayOweOutput = step.produced == output.count
      heed(step)
      // Otherwise the caller would never come to an end.
      if step.consumed == 0, step.produced == 0, unsafe !input.isEmpty, case .goesOn = step.outcome {
        fail(.invalid, at: offset)
      }
    }
  }

  /// Takes the bytes that tell a member or frame, before a decoder sees them: data that is neither gets an
  /// error of its own.
  private mutating func readLead(
    from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer,
    _ progress: inout Progress
  ) {
    guard case .lead(var lead) = state else { return }
    for index in 0..<input.count {
      unsafe lead.append(input[index])
      guard format.canBegin(with: lead) else {
        return fail(hasWholePart ? .trailingGarbage : .invalid, at: partOffset)
      }
      advance(by: 1, &progress)
      if lead.byteCount == format.leadByteCount { break }
    }
    state = .lead(lead)
    guard lead.byteCount == format.leadByteCount else { return }
    state = .inside
    unsafe withUnsafeBytes(of: lead.word.littleEndian) { bytes in
      // So early in a member or frame, no format has any output.
      let step = unsafe decoder.decode(
        UnsafeRawBufferPointer(rebasing: bytes[..<lead.byteCount]), into: output)
      if step.consumed != lead.byteCount { fail(.invalid, at: partOffset) }
      heed(step)
    }
  }

  private mutating func advance(by count: Int, _ progress: inout Progress) {
    offset += count
    progress.consumed += count
  }

  private mutating func heed(_ step: DecodingStep) {
    switch step.outcome {
    case .goesOn: break
    case .partEnded:
      state = .between
      hasWholePart = true
      wholeByteCount = offset
      mayOweOutput = false
    case .failed(let kind, let detail):
      fail(kind, detail: detail, at: offset - step.faultDistance)
    }
  }

  private mutating func fail(_ kind: DecompressionError.Kind, detail: String? = nil, at offset: Int) {
    failure =
      failure ?? DecompressionError(format: format, kind: kind, offset: offset, detail: detail)
  }
}
