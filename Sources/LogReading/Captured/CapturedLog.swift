import CShims
import Platform
import SharedMemory
public import VarnishLog

/// An opened captured log: the source of its records, by their layout and by how they are stored.
public enum CapturedLog: ~Copyable {
  /// A binary log, from its beginning to its end.
  case narrowFile(FileRecords<NarrowRecords>)
  case wideFile(FileRecords<WideRecords>)
  /// A binary log of 2.0, 2.1 or 3.0.
  case file20(LegacyFileRecords<Records20>)
  case file21(LegacyFileRecords<Records21>)
  case file30(LegacyFileRecords<Records30>)
  /// A ring, or a binary log that is searched for whole records.
  case narrowImage(ImageRecords<NarrowRecords>)
  case wideImage(ImageRecords<WideRecords>)
  /// A ring, or a binary log that is searched, of 2.0, 2.1 or 3.0.
  case image20(LegacyImageRecords<Records20>)
  case image21(LegacyImageRecords<Records21>)
  case image30(LegacyImageRecords<Records30>)
}

/// How a captured log is read.
public struct CaptureOptions: Sendable, Equatable {
  /// Whether damaged parts are searched for records.
  public var salvages = false
  /// The tag numbering, if it isn't to be found out from the records.
  public var numbering: TagNumbering?
  /// The tag numbering to assume if the records don't show theirs; the commoner one if nil.
  public var assumedNumbering: TagNumbering?

  /// The default options.
  public init() {}
}

extension CapturedInput {
  /// How many of a file's first bytes tell its form.
  private static let markerByteCount = 8

  /// Opens the log.
  ///
  /// - Throws: `LogError` if it can't be read, or isn't a log.
  public consuming func open(_ options: CaptureOptions) throws(LogError) -> CapturedLog {
    var facts = CapturedFacts(path: path)
    return try open(options, noting: &facts)
  }

  /// Opens the log, and notes what it tells besides its records.
  ///
  /// - Parameter facts: what was known before, to which is added what is found.
  /// - Throws: `LogError` if it can't be read, or isn't a log; what was found until then is noted.
  public consuming func open(
    _ options: CaptureOptions, noting facts: inout CapturedFacts
  ) throws(LogError) -> CapturedLog {
    let part = part
    var input = input
    let beginning = try input.peek(Self.markerByteCount)
    switch Self.form(of: beginning, isRing: options.salvages && part != nil) {
    case .ring: return try Self.openRing(input, part: part, options, &facts)
    case .singleFile: return try Self.openSingleFile(input, options, &facts)
    case .records:
      if options.salvages { return try Self.salvage(input, LogLayout(fileMagic: beginning), options) }
      return try Self.openFile(input, options)
    }
  }

  /// The forms of files that are told apart by their first bytes.
  enum Form {
    /// A ring by itself, as from 5.2 on.
    case ring
    /// The single file with all that a server before 5.2 shares.
    case singleFile
    /// Records one behind the other, or something else.
    case records
  }

  /// - Parameter isRing: whether an index lists the file as a ring, which counts even if the ring's marker is
  ///   damaged.
  static func form(of beginning: [UInt8], isRing: Bool = false) -> Form {
    guard beginning.count == markerByteCount else { return .records }
    let marker = unsafe beginning.withUnsafeBytes { unsafe $0.loadUnaligned(as: UInt64.self) }
    if isRing || RingImage.Head(rawValue: marker) != nil { return .ring }
    let magic = UInt32(truncatingIfNeeded: marker)
    if marker == ChunkFileLayout.magic || magic == SectionFileLayout.magic
      || FlatFileLayout(magic: magic) != nil
    {
      return .singleFile
    }
    return .records
  }

  private static func openFile(_ input: consuming LogInput, _ options: CaptureOptions) throws(LogError)
    -> CapturedLog
  {
    let file = try LogFile(input, from: options.numbering)
    switch file.kind {
    case .narrow: return .narrowFile(try begun(file, options))
    case .wide: return .wideFile(try begun(file, options))
    case .old(.v20): return .file20(LegacyFileRecords(file))
    case .old(.v21): return .file21(LegacyFileRecords(file))
    case .old: return .file30(LegacyFileRecords(file))
    }
  }

  private static func begun<Layout: RecordLayout>(
    _ file: consuming LogFile, _ options: CaptureOptions
  ) throws(LogError) -> FileRecords<Layout> {
    var records = FileRecords<Layout>(
      file, assuming: Layout.fitting(options.assumedNumbering), knowing: Layout.fitting(options.numbering))
    try records.begin()
    return records
  }

  private static func openRing(
    _ input: consuming LogInput, part: Range<Int>?, _ options: CaptureOptions, _ facts: inout CapturedFacts
  ) throws(LogError) -> CapturedLog {
    let (path, incarnation, isDecoded) = (input.path, input.incarnation, input.isDecoded)
    let mapped = try map(input, part: part)
    let range = 0..<max(part?.count ?? 0, mapped.mapping.byteCount)
    return try openRing(mapped, at: range, path, incarnation, isDecoded, options, &facts)
  }

  private static func openRing(
    _ mapped: consuming Mapped, at range: Range<Int>, _ path: String, _ incarnation: LogIncarnation,
    _ isDecoded: Bool, _ options: CaptureOptions, _ facts: inout CapturedFacts
  ) throws(LogError) -> CapturedLog {
    let fault = mapped.fault
    let mapping = mapped.mapping
    let ring: RingImage
    do {
      ring = try RingImage(mapping, at: range, path: path, isDecoded: isDecoded)
      facts.ring = RingFacts(ring, mapping)
    } catch {
      guard options.salvages, let searched = searchedRing(mapping, at: range) else { throw error }
      ring = searched
    }
    if facts.layout == ChunkFileLayout.name { facts.releases = ring.head == .v40 ? "4.0" : "4.1 to 5.1" }
    guard ring.head == .v73 else {
      return .narrowImage(
        ImageRecords(
          mapping, ring, path: path, incarnation: incarnation, isDecoded: isDecoded, fault: fault,
          salvages: options.salvages, numbering: nil, assuming: nil))
    }
    return .wideImage(
      ImageRecords(
        mapping, ring, path: path, incarnation: incarnation, isDecoded: isDecoded, fault: fault,
        salvages: options.salvages, numbering: WideRecords.fitting(options.numbering),
        assuming: WideRecords.fitting(options.assumedNumbering)))
  }

  /// A ring whose head is damaged, of the generation that its marker names or, failing that, its records
  /// suggest.
  private static func searchedRing(_ mapping: borrowing ReadOnlyMapping, at range: Range<Int>) -> RingImage? {
    let there = range.clamped(to: 0..<mapping.byteCount)
    guard there.count > RingLayout.byteCount else { return nil }
    let marker = unsafe mapping.base.loadUnaligned(fromByteOffset: there.lowerBound, as: UInt64.self)
    let likely: RingImage.Head = likelierLayout(mapping, from: there.lowerBound) == .wide ? .v73 : .v41
    return RingImage(searching: mapping, at: range, RingImage.Head(rawValue: marker) ?? likely)
  }

  // MARK: One file

  private static func openSingleFile(
    _ input: consuming LogInput, _ options: CaptureOptions, _ facts: inout CapturedFacts
  ) throws(LogError) -> CapturedLog {
    let (path, incarnation, isDecoded) = (input.path, input.incarnation, input.isDecoded)
    let mapped = try map(input, part: nil)
    let fault = mapped.fault
    guard let file = try SingleFile(mapped.mapping, path: path) else { throw .notALog(path: path) }
    facts.note(file)
    let layout = file.layout
    let search = file.findLog()
    let pointer = file.logPointer
    var section: SingleFile.Section?
    if case .found(let found) = search { section = found } else { section = file.findCutLog() }
    let firstOffset = file.firstOffset
    let mapping = file.takeMapping()
    if layout != .chunks, section != nil || options.salvages {
      let head = SectionFileLayout.sectionHeaderByteCount
      let whole = section?.range ?? min(firstOffset, mapping.byteCount)..<mapping.byteCount
      // The first word of 3.0's area counts the turns.
      let area = layout == .sections ? whole.dropFirst(head + 4) : whole
      // If the file was cut, a part of the area is missing.
      let there = area.clamped(to: 0..<mapping.byteCount)
      facts.ring = RingFacts(
        byteCount: area.count,
        writerOffset: layout == .sections
          ? LegacyImageRecords<Records30>.end(mapping, there).map { $0 - there.lowerBound } : pointer.offset,
        turns: pointer.turns)
      return openOld(
        Mapped(mapping: mapping, fault: fault), numbering(of: layout), area, isRing: true,
        pointer: pointer.offset.map { area.lowerBound + $0 }, path, incarnation, isDecoded, options)
    }
    guard layout == .chunks else {
      guard case .damaged(let offset, let problem) = search else {
        throw .unclear(path: path, problem: "no log is in it")
      }
      throw .damaged(path: path, offset: offset, isDecoded: isDecoded, problem: problem)
    }
    let range =
      if case .found(let section) = search {
        section.range.dropFirst(ChunkFileLayout.chunkHeaderByteCount)
      } else {
        findRing(mapping)
      }
    guard let range else {
      throw .unclear(path: path, problem: "no log is in it: the marker VSLHEAD is missing")
    }
    return try openRing(
      Mapped(mapping: mapping, fault: fault), at: range, path, incarnation, isDecoded, options, &facts)
  }

  private static func numbering(of layout: SingleFile.Layout) -> TagNumbering {
    if case .flat(let flat) = layout { return flat == .v20 ? .v20 : .v21 }
    return .v30
  }

  private static func openOld(
    _ mapped: consuming Mapped, _ numbering: TagNumbering, _ area: Range<Int>, isRing: Bool, pointer: Int?,
    _ path: String, _ incarnation: LogIncarnation, _ isDecoded: Bool, _ options: CaptureOptions
  ) -> CapturedLog {
    let fault = mapped.fault
    let mapping = mapped.mapping
    switch numbering {
    case .v20:
      return .image20(
        LegacyImageRecords(
          mapping, area: area, isRing: isRing, pointer: pointer, path: path, incarnation: incarnation,
          isDecoded: isDecoded, fault: fault, salvages: options.salvages))
    case .v21:
      return .image21(
        LegacyImageRecords(
          mapping, area: area, isRing: isRing, pointer: pointer, path: path, incarnation: incarnation,
          isDecoded: isDecoded, fault: fault, salvages: options.salvages))
    default:
      return .image30(
        LegacyImageRecords(
          mapping, area: area, isRing: isRing, pointer: pointer, path: path, incarnation: incarnation,
          isDecoded: isDecoded, fault: fault, salvages: options.salvages))
    }
  }

  /// Looks for the chunk with the log's marker where the list doesn't lead to it, as in a file that was cut.
  private static func findRing(_ mapping: borrowing ReadOnlyMapping) -> Range<Int>? {
    typealias Layout = ChunkFileLayout
    let header = Layout.chunkHeaderByteCount
    for start in stride(from: Layout.headByteCount, through: mapping.byteCount - header - 8, by: 8) {
      let chunk = unsafe mapping.base + start
      guard unsafe chunk.loadUnaligned(as: UInt64.self) == Layout.chunkMagic,
        unsafe RingImage.Head(rawValue: chunk.loadUnaligned(fromByteOffset: header, as: UInt64.self)) != nil
      else { continue }
      let length = unsafe chunk.loadUnaligned(fromByteOffset: Layout.lengthOffset, as: Int.self)
      let end = length > header && length <= 5 << 30 ? start + length : mapping.byteCount
      return start + header..<end
    }
    return nil
  }

  // MARK: Salvage

  /// Opens a binary log that is searched for records from its beginning to its end.
  ///
  /// - Parameter layout: nil if the file has no intact marker.
  private static func salvage(
    _ input: consuming LogInput, _ layout: LogLayout?, _ options: CaptureOptions
  ) throws(LogError) -> CapturedLog {
    var input = input
    let old = try oldNumbering(&input, layout, options)
    let (path, incarnation, isDecoded) = (input.path, input.incarnation, input.isDecoded)
    let mapped = try map(input, part: nil)
    let fault = mapped.fault
    let mapping = mapped.mapping
    if let old {
      let all = 0..<mapping.byteCount
      return openOld(
        Mapped(mapping: mapping, fault: fault), old, all, isRing: false, pointer: nil, path, incarnation,
        isDecoded, options)
    }
    let start = min(LogFile.magicByteCount, mapping.byteCount)
    let extents = [LogImage.Extent(bytes: start..<mapping.byteCount, end: .file)]
    let image = LogImage(
      mapping, path: path, incarnation: incarnation, isDecoded: isDecoded, extents: extents, fault: fault)
    switch layout ?? likelierLayout(image.mapping) {
    case .narrow:
      return .narrowImage(
        ImageRecords(
          image, isRing: false, salvages: true, numbering: NarrowRecords.fitting(options.numbering),
          assuming: NarrowRecords.fitting(options.assumedNumbering)))
    case .wide:
      return .wideImage(
        ImageRecords(
          image, isRing: false, salvages: true, numbering: WideRecords.fitting(options.numbering),
          assuming: WideRecords.fitting(options.assumedNumbering)))
    }
  }

  /// The numbering of a file of 2.0 to 3.0, as the options or the file's first records say; nil for any other
  /// file.
  private static func oldNumbering(
    _ input: inout LogInput, _ layout: LogLayout?, _ options: CaptureOptions
  ) throws(LogError) -> TagNumbering? {
    if let numbering = options.numbering { return numbering.isOld ? numbering : nil }
    guard layout == nil else { return nil }
    let beginning = try input.peek(LogFileProbe.byteCount)
    guard beginning.count >= LogFile.magicByteCount,
      case .old(let numbering)? = unsafe beginning.withUnsafeBytes({ unsafe LogFileProbe.kind($0) })
    else { return nil }
    return numbering
  }

  /// How much of a file is looked at to tell its layout.
  private static let likelyBytesMax = 4 << 20

  /// The layout in which more of the first bytes are records.
  private static func likelierLayout(_ mapping: borrowing ReadOnlyMapping, from start: Int = 0) -> LogLayout {
    let narrow = recordBytes(mapping, from: start, NarrowRecords.self)
    return narrow > recordBytes(mapping, from: start, WideRecords.self) ? .narrow : .wide
  }

  private static func recordBytes<Layout: RecordLayout>(
    _ mapping: borrowing ReadOnlyMapping, from origin: Int, _: Layout.Type
  ) -> Int {
    let check = RecordCheck<Layout>(nil, takesUnknown: true)
    let end = min(mapping.byteCount, origin + likelyBytesMax)
    var (at, found) = (origin, 0)
    while at < end {
      let (start, first) = (at, found)
      while let shape = unsafe UnitShape(at: mapping.base + at, room: end - at, isRing: false, check) {
        at += shape.byteCount
        found += shape.byteCount
      }
      // A run that is as short as this may be chance.
      if at - start < 256 { (at, found) = (start + 1, first) }
    }
    return found
  }

  // MARK: Bytes

  /// A mapped input, and the fault at which decoding it ended, if it did.
  private struct Mapped: ~Copyable {
    let mapping: ReadOnlyMapping
    let fault: LogError?
  }

  /// Maps the bytes of an input; what can't be mapped, as it comes from a pipe or is compressed, is kept in a
  /// file first.
  ///
  /// - Parameter part: the part to map, all if nil; it is clipped to what is there.
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

extension RecordLayout {
  /// The given numbering, or nil if records of this layout can't have it.
  static func fitting(_ numbering: TagNumbering?) -> TagNumbering? {
    numbering.flatMap {
      LogFileKind(of: $0) == (headerByteCount == NarrowRecords.headerByteCount ? .narrow : .wide) ? $0 : nil
    }
  }
}
