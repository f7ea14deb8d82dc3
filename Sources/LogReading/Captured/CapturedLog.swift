import CShims
import Platform
import SharedMemory
public import VarnishLog

/// A captured log, opened: where its records come from.
public enum CapturedLog: ~Copyable {
  /// A binary log, from its beginning to its end.
  case narrowFile(FileRecords<NarrowRecords>)
  case wideFile(FileRecords<WideRecords>)
  /// A ring, or a binary log that is searched for what is whole.
  case narrowImage(ImageRecords<NarrowRecords>)
  case wideImage(ImageRecords<WideRecords>)
}

/// How a captured log is read.
public struct CaptureOptions: Sendable, Equatable {
  /// Whether what is damaged is searched for records.
  public var salvages = false
  /// What tags are numbered by if the records don't tell; the commoner numbering if nil.
  public var assumedNumbering: TagNumbering?

  /// As it usually is.
  public init() {}
}

extension CapturedInput {
  /// The bytes that a log of more than one generation begins with.
  private static let markerByteCount = 8

  /// Opens the log.
  ///
  /// - Throws: `LogError` if it can't be read, or is none.
  public consuming func open(_ options: CaptureOptions) throws(LogError) -> CapturedLog {
    var input = input
    let beginning = try input.peek(Self.markerByteCount)
    if Self.isRing(beginning) {
      return try Self.openRing(input, part: part, options)
    }
    guard options.salvages else { return try Self.openFile(input, options) }
    return try Self.salvage(input, LogLayout(fileMagic: beginning), options)
  }

  private static func isRing(_ beginning: [UInt8]) -> Bool {
    guard beginning.count == markerByteCount else { return false }
    return unsafe RingImage.Head(
      rawValue: beginning.withUnsafeBytes { unsafe $0.loadUnaligned(as: UInt64.self) }) != nil
  }

  private static func openFile(_ input: consuming LogInput, _ options: CaptureOptions) throws(LogError)
    -> CapturedLog
  {
    let file = try LogFile(input)
    let assumed = options.assumedNumbering
    switch file.layout {
    case .narrow:
      var records = FileRecords<NarrowRecords>(file, assuming: assumed?.isNarrow == true ? assumed : nil)
      try records.begin()
      return .narrowFile(records)
    case .wide:
      var records = FileRecords<WideRecords>(file, assuming: assumed?.isNarrow == false ? assumed : nil)
      try records.begin()
      return .wideFile(records)
    }
  }

  private static func openRing(
    _ input: consuming LogInput, part: Range<Int>?, _ options: CaptureOptions
  ) throws(LogError) -> CapturedLog {
    let (path, incarnation, isDecoded) = (input.path, input.incarnation, input.isDecoded)
    let mapped = try map(input, part: part)
    let fault = mapped.fault
    let mapping = mapped.mapping
    let ring = try RingImage(mapping, claimed: part?.count, path: path, isDecoded: isDecoded)
    let assumed = options.assumedNumbering
    guard ring.head == .v73 else {
      return .narrowImage(
        ImageRecords(
          mapping, ring, path: path, incarnation: incarnation, isDecoded: isDecoded, fault: fault,
          salvages: options.salvages,
          assuming: nil))
    }
    return .wideImage(
      ImageRecords(
        mapping, ring, path: path, incarnation: incarnation, isDecoded: isDecoded, fault: fault,
        salvages: options.salvages,
        assuming: assumed?.isNarrow == false ? assumed : nil))
  }

  // MARK: Salvage

  /// Opens a file whose records are looked for everywhere.
  ///
  /// - Parameter layout: nil if its marker is damaged.
  private static func salvage(
    _ input: consuming LogInput, _ layout: LogLayout?, _ options: CaptureOptions
  ) throws(LogError) -> CapturedLog {
    let (path, incarnation, isDecoded) = (input.path, input.incarnation, input.isDecoded)
    let mapped = try map(input, part: nil)
    let fault = mapped.fault
    let mapping = mapped.mapping
    let start = min(LogFile.magicByteCount, mapping.byteCount)
    let extents = [LogImage.Extent(bytes: start..<mapping.byteCount, end: .file)]
    let image = LogImage(
      mapping, path: path, incarnation: incarnation, isDecoded: isDecoded, extents: extents, fault: fault)
    let assumed = options.assumedNumbering
    switch layout ?? likelierLayout(image) {
    case .narrow:
      return .narrowImage(
        ImageRecords(
          image, isRing: false, salvages: true, assuming: assumed?.isNarrow == true ? assumed : nil))
    case .wide:
      return .wideImage(
        ImageRecords(
          image, isRing: false, salvages: true, assuming: assumed?.isNarrow == false ? assumed : nil))
    }
  }

  /// How much of a file is looked at to tell its layout.
  private static let likelyBytesMax = 4 << 20

  /// The layout in which more of the first bytes are records.
  private static func likelierLayout(_ image: borrowing LogImage) -> LogLayout {
    recordBytes(image, NarrowRecords.self) > recordBytes(image, WideRecords.self) ? .narrow : .wide
  }

  private static func recordBytes<Layout: RecordLayout>(_ image: borrowing LogImage, _: Layout.Type) -> Int {
    let check = RecordCheck<Layout>(nil, takesUnknown: true)
    let end = min(image.mapping.byteCount, likelyBytesMax)
    var (at, found) = (0, 0)
    while at < end {
      let (start, first) = (at, found)
      while let shape = unsafe UnitShape(at: image.mapping.base + at, room: end - at, isRing: false, check) {
        at += shape.byteCount
        found += shape.byteCount
      }
      // One by itself is chance.
      if at - start < 256 { (at, found) = (start + 1, first) }
    }
    return found
  }

  // MARK: Bytes

  /// Bytes, and why there are no more if they couldn't be decoded any further.
  private struct Mapped: ~Copyable {
    let mapping: ReadOnlyMapping
    let fault: LogError?
  }

  /// Maps what an input holds, and keeps it first where it can't be mapped.
  ///
  /// - Parameter part: what of it is wanted; all if nil. What isn't there of that is left out.
  private static func map(_ input: consuming LogInput, part: Range<Int>?) throws(LogError) -> Mapped {
    var input = input
    let path = input.path
    if input.isRegular, !input.isDecoded {
      let whole = try (input.region?.lowerBound ?? 0)..<input.size
      return Mapped(mapping: try map(input.file, whole, part, path), fault: nil)
    }
    var kept = try KeptFile(for: path)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    defer { unsafe buffer.deallocate() }
    var fault: LogError?
    do throws(LogError) {
      while let count = unsafe try input.read(into: buffer) {
        unsafe try kept.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]), of: path)
      }
    } catch {
      // What was decoded in front of the fault is as good as a file that was cut there.
      guard kept.byteCount > 0, case .undecodable = error else { throw error }
      fault = error
    }
    return Mapped(mapping: try map(kept.opened(), 0..<kept.byteCount, part, path), fault: fault)
  }

  private static func map(
    _ file: borrowing ReadOnlyFile, _ whole: Range<Int>, _ part: Range<Int>?, _ path: String
  ) throws(LogError) -> ReadOnlyMapping {
    let start = min(part?.lowerBound ?? 0, whole.count)
    let count = min(part?.count ?? whole.count, whole.count - start)
    guard count > 0 else { throw .readFailed(reason: "EOF") }
    do {
      return try ReadOnlyMapping(file, offset: whole.lowerBound + start, byteCount: count)
    } catch {
      throw .system(error)
    }
  }
}

extension TagNumbering {
  /// Whether records that are numbered so have two header words.
  package var isNarrow: Bool { self == .v40 || self == .v41 }
}
