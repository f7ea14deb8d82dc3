import Glibc
import SharedMemory
public import VarnishLog

/// The records of a copied log of 2.0 to 3.0, as far as they are whole, made into those of today's logs.
///
/// In such a log, only the place of the first record is known. So the present turn is read, up to the end
/// mark; what is left of the turn before, behind that mark, is read only if damaged parts are searched, too.
public struct LegacyImageRecords<Format: LegacyFormat>: LogFileSource, ~Copyable {
  /// The layout of today's logs, into which records are converted.
  public typealias Layout = WideRecords

  private let image: LogImage
  /// Whether damaged parts are searched for records.
  public let salvages: Bool
  private var maker = TransactionMaker(Format.numbering)
  private var single = SingleRecord(Format.numbering)
  private let known: TagSet
  private var extentIndex = 0, formerBytes = 0, position = 0
  private var tally = ImageAccount()
  /// Whether single records are handed out too, beside the transactions that are made of them.
  public var includesUnattributed = false

  /// How many records one behind the other are believed to be records.
  private static var runLength: Int { 8 }

  /// Prepares for reading a log.
  ///
  /// - Parameters:
  ///   - area: where its records lie.
  ///   - pointer: where the newest ones end, as the file's head says.
  init(
    _ mapping: consuming ReadOnlyMapping, area: Range<Int>, isRing: Bool, pointer: Int?, path: String,
    incarnation: LogIncarnation, isDecoded: Bool, fault: LogError?, salvages: Bool
  ) {
    var known = TagSet()
    let table = TagTable(Format.numbering)
    for number in RecordHeader.tagNumbers where table.tag(number) != nil { known.insert(number) }
    self.known = known
    self.salvages = salvages
    let there = min(area.lowerBound, mapping.byteCount)..<min(area.upperBound, mapping.byteCount)
    let isCut = there.upperBound < area.upperBound
    var extents = [LogImage.Extent(bytes: there, end: isRing && !isCut ? .tail : .file)]
    var mark = isRing ? Self.end(mapping, there) : nil
    if isRing, salvages { mark = Self.searchedEnd(mapping, there, pointer: pointer, led: mark) }
    let end = mark.map { min($0 + Format.alignment, there.upperBound) }
    let hasFormer = end.map { !LogImage.isUnwritten(mapping, $0..<there.upperBound) } ?? false
    if let end, hasFormer, salvages {
      // The turn before comes first, as it is older.
      extents.insert(LogImage.Extent(bytes: end..<there.upperBound, end: .wrap), at: 0)
      extents[1].bytes = there.lowerBound..<end
    }
    image = LogImage(
      mapping, path: path, incarnation: incarnation, isDecoded: isDecoded, extents: extents,
      missing: isCut ? there.upperBound..<area.upperBound : 0..<0, hasFormer: hasFormer, fault: fault)
    position = image.extents[0].bytes.lowerBound
    if !image.missing.isEmpty { tally.givenUp.note(image.missing) }
  }

  /// Where the end mark is to which the records of the present turn lead; nil if they lead to none.
  static func end(_ mapping: borrowing ReadOnlyMapping, _ area: Range<Int>) -> Int? {
    var at = area.lowerBound
    while at < area.upperBound {
      switch unsafe Format.item(at: mapping.base + at, byteCount: area.upperBound - at) {
      case .record(_, let byteCount): at += byteCount
      case .end: return at
      default: return nil
      }
    }
    return nil
  }

  /// Where the end mark is if the records in front of it may be damaged.
  ///
  /// - Parameters:
  ///   - pointer: the place that the head names. A copy's records may have come farther than its head.
  ///   - led: the end mark to which the records lead; nil if they lead to none.
  private static func searchedEnd(
    _ mapping: borrowing ReadOnlyMapping, _ area: Range<Int>, pointer: Int?, led: Int?
  ) -> Int? {
    if let pointer, area.contains(pointer),
      case .end = unsafe Format.item(at: mapping.base + pointer, byteCount: area.upperBound - pointer)
    {
      return pointer
    }
    if let led { return led }
    // A mark of one byte can't be searched for: any record may contain this byte.
    guard Format.alignment > 1 else { return nil }
    return stride(from: area.lowerBound, to: area.upperBound, by: Format.alignment).first {
      if case .end = unsafe Format.item(at: mapping.base + $0, byteCount: area.upperBound - $0) {
        true
      } else {
        false
      }
    }
  }

  /// Nothing to do: the numbering is known.
  public mutating func begin() throws(LogError) {}
  /// The numbering that single records have.
  public var singleNumbering: TagNumbering? { Format.numbering }
  /// How many transactions were left out.
  public var incompleteCount: Int { maker.givenUpCount }
  /// The numbering that transactions have.
  public var numbering: TagNumbering { TransactionMaker.numbering }
  /// The log has only the records of connections; transactions are made of them.
  public static var makesTransactions: Bool { true }
  /// A transaction comes in one piece.
  public static var recordsStandAlone: Bool { false }
  /// What is handed out was made in memory of its own.
  public var isIntact: Bool { true }
  /// None: all of the image is there.
  public var waitDescriptor: Int32? { nil }
  /// Which file the image comes from.
  public var incarnation: LogIncarnation { image.incarnation }
  /// Whether the image was decoded from a compressed file, so that offsets count decoded bytes.
  public var isDecoded: Bool { image.isDecoded }
  /// None: a record of an unknown tag counts as damage.
  public var unknownTags: UnknownTags? { nil }
  /// What became of the bytes that were passed.
  public var account: ImageAccount? { tally }
  /// Where reading goes on, in bytes of all pieces in their order.
  public var nextPlace: UInt64 {
    guard extentIndex < image.extents.count else { return UInt64(formerBytes) }
    return UInt64(formerBytes + position - image.extents[extentIndex].bytes.lowerBound)
  }
  /// Where the oldest request begins that hasn't been handed out.
  public var restartPlace: UInt64 { min(maker.openPlace ?? nextPlace, nextPlace) }

  /// Where reading goes on: what is handed out was made, and has no place in the image.
  public func offset(of address: UnsafeRawPointer) -> Int { position }

  /// The next transaction, or the next record by itself, or what was given up.
  public mutating func next() throws(LogError) -> SourceStep<WideRecords> {
    while true {
      if let run = maker.next() { return .records(run) }
      guard extentIndex < image.extents.count else {
        if let fault = image.fault { throw fault }
        return .end
      }
      let extent = image.extents[extentIndex]
      if position >= extent.bytes.upperBound {
        enterNext()
        continue
      }
      let place = nextPlace
      switch item(at: position, upTo: extent.bytes.upperBound) {
      case .record(let record, let byteCount)
      where isBelievable(record) && isFollowed(at: position + byteCount, in: extent):
        position += byteCount
        tally.readByteCount += byteCount
        maker.take(record, at: place, to: nextPlace)
        if includesUnattributed { return .records(single.make(of: record, at: place, to: nextPlace)) }
      case .end where extent.end == .tail:
        passMark(in: extent, isFormer: image.hasFormer)
        enterNext()
      // In a copy that took longer than the server's turn, the newest records may be at the end.
      case .wrap where extent.end != .file:
        passMark(in: extent, isFormer: false)
        enterNext()
      default: return giveUp(extent)
      }
    }
  }

  /// Counts a mark and what lies behind it: unused bytes, or what is left of the turn before.
  private mutating func passMark(in extent: LogImage.Extent, isFormer: Bool) {
    let end = min(position + Format.alignment, extent.bytes.upperBound)
    tally.unusedByteCount += end - position
    if isFormer {
      tally.noteFormer(end..<extent.bytes.upperBound)
    } else {
      tally.unusedByteCount += extent.bytes.upperBound - end
    }
  }

  private mutating func enterNext() {
    formerBytes += image.extents[extentIndex].bytes.count
    extentIndex += 1
    if extentIndex < image.extents.count { position = image.extents[extentIndex].bytes.lowerBound }
  }

  private mutating func giveUp(_ extent: LogImage.Extent) -> SourceStep<WideRecords> {
    let start = position
    position = extent.bytes.upperBound
    if salvages {
      var at = start + Format.alignment
      while at < extent.bytes.upperBound, !beginsRun(at: at, in: extent) { at += Format.alignment }
      position = min(at, extent.bytes.upperBound)
    }
    tally.givenUp.note(start..<position)
    // Open requests may lack records that were in the gap.
    maker.beginAnew(Format.numbering)
    single = SingleRecord(Format.numbering)
    return .gap(start..<position)
  }

  private func item(at offset: Int, upTo end: Int) -> LegacyItem {
    unsafe Format.item(at: image.mapping.base + offset, byteCount: end - offset)
  }

  /// Whether a record is one that a server writes: its tag is known, a process can have that descriptor, and it isn't
  /// made of zeros, as 3.0's tag of that number would allow.
  ///
  /// The payload isn't looked at: what clients send may be in any record, NULs included.
  private func isBelievable(_ record: LegacyRecord) -> Bool {
    known.contains(record.tag) && (record.tag > 0 || record.descriptor > 0 || record.payload.count > 0)
      && (record.descriptor < ConnectionSides.descriptorCount || record.descriptor == .max)
  }

  private func isFollowed(at offset: Int, in extent: LogImage.Extent) -> Bool {
    guard offset < extent.bytes.upperBound else { return true }
    switch item(at: offset, upTo: extent.bytes.upperBound) {
    case .record(let record, _): return isBelievable(record)
    case .end, .wrap: return true
    case .incomplete: return extent.end == .file
    case .damaged: return false
    }
  }

  private func beginsRun(at start: Int, in extent: LogImage.Extent) -> Bool {
    var at = start
    for _ in 0..<Self.runLength {
      guard case .record(let record, let byteCount) = item(at: at, upTo: extent.bytes.upperBound),
        isBelievable(record), record.payload.firstIndex(of: 0) == nil
      else { return false }
      at += byteCount
    }
    return isFollowed(at: at, in: extent)
  }

  /// Moves forward to a position; an image is read in the same order every time.
  public mutating func resume(at target: LogPosition) throws(LogError) -> LogResumption {
    guard target.incarnation == incarnation else { return .otherIncarnation }
    let wanted = includesUnattributed
    includesUnattributed = true
    defer { includesUnattributed = wanted }
    while nextPlace < target.place {
      if case .end = try next() { return .noSuchPlace }
    }
    return nextPlace == target.place ? .held : .noSuchPlace
  }
}

extension LegacyImageRecords: CapturedSource {
  /// A ring has lost what was written first.
  public var beginsAnywhere: Bool { true }
}
