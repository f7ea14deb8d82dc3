import CShims
import SharedMemory
public import VarnishLog

/// The records of an image, as far as they are whole.
///
/// A unit (a record that stands by itself, or the batch of a transaction) is handed out only if all of it is
/// what a server writes, and if another unit, a mark or the end follows: where a ring was written while it
/// was copied, new bytes follow old ones in the middle of a record. Behind a unit that isn't believed,
/// reading goes on at the next place that the ring itself names or, in salvage, at the next run of records
/// that is long enough.
public struct ImageRecords<Layout: RecordLayout>: LogSource, ~Copyable {
  let image: LogImage
  /// Whether damaged parts are searched for records.
  public let salvages: Bool
  /// Whether the image is a ring's: with batches and marks, and with sizes in whole words.
  let isRing: Bool
  private(set) var check: RecordCheck<Layout>
  /// The tag numbering that is known, that the records show, or that is assumed.
  public private(set) var numbering: TagNumbering
  /// The tag numbering that is known or that the records show; nil if it is only assumed.
  public private(set) var foundNumbering: TagNumbering?
  private var tally = ImageAccount()
  /// Whether records of no transaction are handed out too.
  public var includesUnattributed = false

  /// The piece that is being read, how many bytes the pieces in front of it have, and where in the image the next unit
  /// begins.
  private var extentIndex = 0, formerBytes = 0
  private(set) var position = 0
  /// The unit that was handed out last, copied into aligned memory, and where in the image it came from.
  private var unit = UnitBuffer()
  private var unitPosition = 0

  /// Prepares for reading the image's pieces in their order.
  ///
  /// - Parameters:
  ///   - numbering: the records' tag numbering; found out from them if nil.
  ///   - assumed: the numbering to assume if the records don't show theirs; the commoner one if nil.
  package init(
    _ image: consuming LogImage, isRing: Bool, salvages: Bool, numbering: TagNumbering? = nil,
    assuming assumed: TagNumbering? = nil
  ) {
    self.image = image
    self.isRing = isRing
    self.salvages = salvages
    self.numbering = numbering ?? assumed ?? NumberingProbe(Layout.self).fallback
    foundNumbering = numbering
    check = RecordCheck(nil, takesUnknown: true)
    if numbering == nil, let found = probe() { (self.numbering, foundNumbering) = (found, found) }
    check = RecordCheck(self.numbering, takesUnknown: !salvages)
    rewind()
  }

  private mutating func rewind() {
    (extentIndex, formerBytes) = (0, 0)
    position = image.extents.first?.bytes.lowerBound ?? 0
    tally = ImageAccount()
    if !image.missing.isEmpty { tally.givenUp.note(image.missing) }
  }

  /// How many bytes are looked at to find out the numbering.
  private static var probedBytesMax: Int { 64 << 20 }

  /// Looks for records that tell the tag numbering.
  private mutating func probe() -> TagNumbering? {
    rewind()
    var probe = NumberingProbe(Layout.self)
    while probe.result == nil, formerBytes + position < Self.probedBytesMax {
      switch step() {
      case .records(let run):
        var cursor = run.makeCursor()
        while let record = cursor.next() { probe.examine(tag: record.tag, payload: record.payload) }
      case .end: return nil
      default: continue
      }
    }
    return probe.result
  }

  // MARK: A source

  /// Records come in the batches they were written in, and each by itself otherwise.
  public static var recordsStandAlone: Bool { false }
  /// What is handed out is a copy.
  public var isIntact: Bool { true }
  /// None: all of the image is there.
  public var waitDescriptor: Int32? { nil }
  /// Which file the image comes from.
  public var incarnation: LogIncarnation { image.incarnation }
  /// Whether the image was decoded from a compressed file, so that offsets count decoded bytes.
  public var isDecoded: Bool { image.isDecoded }

  /// What became of the bytes that were passed.
  public var account: ImageAccount? { tally }

  /// Where reading goes on, in bytes of all pieces in their order.
  public var nextPlace: UInt64 { UInt64(place(of: position)) }

  private func place(of position: Int) -> Int {
    guard extentIndex < image.extents.count else { return formerBytes }
    return formerBytes + position - image.extents[extentIndex].bytes.lowerBound
  }

  /// Bytes from the beginning of the image.
  public func offset(of address: UnsafeRawPointer) -> Int { unsafe unitPosition + unit.offset(of: address) }

  /// The next unit of a transaction, or what was given up in front of it.
  public mutating func next() throws(LogError) -> SourceStep<Layout> {
    while true {
      let step = step()
      if case .end = step, let fault = image.fault { throw fault }
      if !includesUnattributed, case .records(let run) = step, unsafe Layout.vxid(run.start) == 0 { continue }
      return step
    }
  }

  private mutating func step() -> SourceStep<Layout> {
    while extentIndex < image.extents.count {
      let extent = image.extents[extentIndex]
      guard position < extent.bytes.upperBound else {
        enter(extentIndex + 1)
        continue
      }
      if let target = target(ofMarkIn: extent) {
        passMark(in: extent, to: target)
        enter(target)
        continue
      }
      let start = position
      if let byteCount = takeUnit(in: extent) {
        let place = UInt64(place(of: unitPosition))
        position += byteCount
        tally.readByteCount += byteCount
        return unsafe .records(RecordRun(start: unit.start, byteCount: unit.byteCount, place: place))
      }
      position = salvages ? resynchronized(in: extent) : extent.bytes.upperBound
      tally.givenUp.note(start..<position)
      return .gap(start..<position)
    }
    return .end
  }

  private mutating func enter(_ index: Int) {
    for former in extentIndex..<min(index, image.extents.count) {
      formerBytes += image.extents[former].bytes.count
    }
    extentIndex = index
    if index < image.extents.count { position = image.extents[index].bytes.lowerBound }
  }

  /// The index of the piece that the mark at the present position leads to; nil if no mark is there, or none
  /// that belongs there.
  private func target(ofMarkIn extent: LogImage.Extent) -> Int? {
    guard isRing, extent.bytes.upperBound - position >= 4 else { return nil }
    switch image.word(at: position) {
    case LogImage.Mark.end: return extent.end == .tail ? image.extents.count : nil
    case LogImage.Mark.wrap:
      if extent.end == .tail { return image.extents.count }
      // A ring starts over once among its pieces, and not always at the end of its last segment.
      return image.extents[extentIndex...].firstIndex { $0.end == .wrap }.map { $0 + 1 }
    default: return nil
    }
  }

  /// Counts the bytes between a mark and the piece that it leads to.
  private mutating func passMark(in extent: LogImage.Extent, to target: Int) {
    let behind = position + 4..<extent.bytes.upperBound
    if extent.end == .tail, image.hasFormer, image.word(at: position) == LogImage.Mark.end {
      tally.unusedByteCount += 4
      tally.noteFormer(behind)
    } else {
      tally.unusedByteCount += 4 + behind.count
    }
    for skipped in image.extents[extentIndex..<target].dropFirst() {
      tally.unusedByteCount += skipped.bytes.count
    }
  }

  // MARK: A unit

  /// Copies the unit at the present position if it is whole.
  ///
  /// - Returns: how many bytes the unit takes in the image; nil if it isn't whole.
  private mutating func takeUnit(in extent: LogImage.Extent) -> Int? {
    guard let shape = shape(at: position, upTo: extent.bytes.upperBound),
      isFollowed(at: position + shape.byteCount, in: extent)
    else { return nil }
    unsafe unit.copy(
      image.mapping.base + position + shape.skipped, byteCount: shape.byteCount - shape.skipped)
    unitPosition = position + shape.skipped
    // Checked in the copy, which nothing changes any more.
    return isWhole(unit, isBatch: shape.skipped > 0) ? shape.byteCount : nil
  }

  /// The shape of a unit as its header says; nil if there is no header, or not all of the unit.
  func shape(at position: Int, upTo end: Int) -> UnitShape? {
    unsafe UnitShape(at: image.mapping.base + position, room: end - position, isRing: isRing, check)
  }

  /// Whether the bytes at a position can follow a whole unit.
  func isFollowed(at position: Int, in extent: LogImage.Extent) -> Bool {
    let room = extent.bytes.upperBound - position
    if room == 0 { return true }
    if isRing, room >= 4 {
      switch image.word(at: position) {
      case LogImage.Mark.end, LogImage.Mark.wrap, UInt32(RecordHeader.batchTag) << 24: return true
      default: break
      }
    }
    // A file's end may cut a record; nothing else may.
    guard room >= Layout.headerByteCount else { return extent.end == .file }
    guard let byteCount = unsafe check.byteCount(ofHeaderAt: image.mapping.base + position) else {
      return false
    }
    return byteCount <= room || extent.end == .file
  }

  /// Whether a unit that was copied is what a server writes.
  private func isWhole(_ unit: borrowing UnitBuffer, isBatch: Bool) -> Bool {
    if isBatch { return unsafe check.isBatch(unit.start, byteCount: unit.byteCount) }
    return unsafe check.byteCount(ofHeaderAt: unit.start) == unit.byteCount && check.isWhole(unit.start)
  }
}

/// How a unit lies in an image, as its header says.
struct UnitShape {
  /// The size of the unit in the image: with a batch's header, and with what fills the last word.
  let byteCount: Int
  /// The size of the header in front of a batch's records; 0 for a record that stands by itself.
  let skipped: Int

  /// The most bytes that a batch is believed to have; servers collect some kilobytes.
  private static var batchByteCountMax: Int { 16 << 20 }

  /// Reads a header; nil if none is there, or not all of the unit.
  init?<Layout: RecordLayout>(
    at header: UnsafeRawPointer, room: Int, isRing: Bool, _ check: RecordCheck<Layout>
  ) {
    guard room >= Layout.headerByteCount else { return nil }
    if isRing, unsafe header.loadUnaligned(as: UInt32.self) == UInt32(RecordHeader.batchTag) << 24 {
      let content = unsafe Int(header.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
      guard content >= Layout.headerByteCount, content <= Self.batchByteCountMax else { return nil }
      (byteCount, skipped) = (Layout.headerByteCount + (content + 3) & ~3, Layout.headerByteCount)
    } else {
      guard let whole = unsafe check.byteCount(ofHeaderAt: header) else { return nil }
      (byteCount, skipped) = (whole, 0)
    }
    guard byteCount <= room else { return nil }
  }
}

/// Aligned memory for a piece of a log.
///
/// Not private: specialisations of `ImageRecords` in other modules refer to it when they are linked.
@safe struct UnitBuffer: ~Copyable {
  private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
  private(set) var byteCount = 0

  deinit { unsafe memory.deallocate() }

  var start: UnsafeRawPointer { unsafe UnsafeRawPointer(memory.baseAddress.unsafelyUnwrapped) }

  func offset(of address: UnsafeRawPointer) -> Int { unsafe address - start }

  mutating func copy(_ bytes: UnsafeRawPointer, byteCount: Int) {
    if unsafe byteCount > memory.count {
      unsafe memory.deallocate()
      unsafe memory = .allocate(byteCount: byteCount, alignment: 16)
    }
    unsafe memory.copyMemory(from: UnsafeRawBufferPointer(start: bytes, count: byteCount))
    self.byteCount = byteCount
  }
}
