import SharedMemory

/// The records of a binary log file, read through a window of fixed size.
///
/// What is handed out lies in the window and stays there until the next call. The window is small enough
/// to stay in the processor's cache and holds the longest possible record several times over.
public struct FileRecords<Layout: RecordLayout>: LogSource, ~Copyable {
  private let file: LogFile
  private let window: UnsafeMutableRawBufferPointer
  /// The unread part of the window is `position..<filled`.
  private var position = 0
  private var filled = 0
  /// Where in the file the window begins.
  private var windowOffset = LogFile.magicByteCount
  private var reachedEnd = false
  private let isRegular: Bool
  private var classes: TagClasses
  private var probe = NumberingProbe(Layout.self)

  /// The first record of a tag that the numbering gives no meaning, and how many there were.
  public private(set) var unknownTags: (count: Int, firstTag: UInt8, firstOffset: Int)?

  /// The tag numbering that the first records show.
  public var numbering: TagNumbering { probe.result ?? assumedNumbering }
  private let assumedNumbering: TagNumbering

  static var windowByteCount: Int { 256 << 10 }

  /// Prepares for reading behind the file's marker; `begin` comes first.
  ///
  /// - Parameter assumedNumbering: what to take if the first records don't tell; the commoner one if nil.
  public init(_ file: consuming LogFile, assuming assumedNumbering: TagNumbering?) {
    isRegular = file.isRegular
    self.file = file
    self.assumedNumbering = assumedNumbering ?? NumberingProbe(Layout.self).fallback
    window = .allocate(byteCount: Self.windowByteCount, alignment: 16)
    classes = TagClasses(TagTable(self.assumedNumbering))
  }

  /// Reads as much as it takes to tell the tag numbering, at most a window.
  ///
  /// - Throws: `LogError.readFailed` if the file can't be read.
  public mutating func begin() throws(LogError) {
    while probe.result == nil, !reachedEnd, filled < window.count {
      try fill()
      var cursor = RecordRun<Layout>(
        start: UnsafeRawPointer(window.baseAddress.unsafelyUnwrapped), byteCount: filled
      ).makeCursor()
      while probe.result == nil, let record = cursor.next() {
        probe.examine(tag: record.tag, payload: record.payload)
      }
    }
    classes = TagClasses(TagTable(numbering))
  }

  deinit { window.deallocate() }

  public static var recordsStandAlone: Bool { true }

  public var isIntact: Bool { true }

  public var waitDescriptor: Int32? { file.file.descriptor }

  public func offset(of address: UnsafeRawPointer) -> Int {
    windowOffset + (address - UnsafeRawPointer(window.baseAddress.unsafelyUnwrapped))
  }

  /// The next records of one transaction that stand together: up to its `End`, the end of the window or
  /// `linksMax` links, whichever comes first. Records of no transaction are passed over.
  ///
  /// - Throws: `LogError.truncated` at a record that isn't all there, `.damaged` at one that can't be.
  @specialized(where Layout == NarrowRecords)
  @specialized(where Layout == WideRecords)
  public mutating func next() throws(LogError) -> SourceStep<Layout> {
    while true {
      let base = UnsafeRawPointer(window.baseAddress.unsafelyUnwrapped)
      // `from` is where the run begins, `at` the record looked at; from <= at <= filled <= window.count.
      let from = position
      var at = from
      var vxid: UInt64 = 0
      var links = 0
      scan: while filled - at >= Layout.headerByteCount {
        let record = base + at
        let word = record.load(as: UInt32.self)
        let byteCount = Record<Layout>.byteCount(word)
        guard byteCount <= filled - at else { break }
        let owner = Layout.vxid(record)
        if at == from {
          vxid = owner
        } else if owner != vxid {
          break
        }
        let kind = classes[RecordHeader.tag(word)]
        if kind != .plain {
          switch kind {
          case .end:
            at += byteCount
            break scan
          case .link:
            links += 1
            if links == Self.linksMax { break scan }
          case .batch:
            // Only rings have batch headers; in a file one says nothing.
            if at == from {
              position = at + Layout.headerByteCount
              return try next()
            }
            break scan
          case .mark:
            if at > from { break scan }
            throw damaged(at: at, "a record of tag \(RecordHeader.tag(word)), which no log has")
          case .unknown:
            noteUnknownTag(RecordHeader.tag(word), at: at)
          case .plain: break
          }
        }
        at += byteCount
      }
      if at > from {
        position = at
        if vxid == 0 { continue }
        return .records(RecordRun(start: base + from, byteCount: at - from))
      }
      guard !reachedEnd else {
        if filled == from { return .end }
        throw truncated(at: from)
      }
      // A pipe that has nothing now is not waited for in here: what was made of the rest can be shipped.
      guard isRegular || file.file.isReadable else { return .idle }
      try fill()
    }
  }

  /// How many links one run may have: what one run adds to the grouper's table stays small.
  static var linksMax: Int { 32 }

  private mutating func noteUnknownTag(_ tag: UInt8, at index: Int) {
    if unknownTags == nil {
      unknownTags = (1, tag, windowOffset + index)
    } else {
      unknownTags?.count += 1
    }
  }

  /// Moves what is unread to the front of the window and reads more behind it.
  ///
  /// The window is longer than any record, so there is room whenever a record isn't all there.
  private mutating func fill() throws(LogError) {
    let base = window.baseAddress.unsafelyUnwrapped
    let unread = filled - position
    if position > 0 {
      base.copyMemory(from: base + position, byteCount: unread)
      windowOffset += position
      position = 0
      filled = unread
    }
    // One read: a pipe gives what it has, and that is gone on with rather than waited for more.
    let count: Int
    do throws(SystemError) {
      count = try file.file.read(into: UnsafeMutableRawBufferPointer(rebasing: window[filled...]))
    } catch {
      throw .readFailed(reason: error.reason)
    }
    filled += count
    reachedEnd = count == 0
  }

  private func truncated(at index: Int) -> LogError {
    let left = filled - index
    var needed = Layout.headerByteCount
    if left >= needed {
      let start = UnsafeRawPointer(window.baseAddress.unsafelyUnwrapped) + index
      needed = Record<Layout>.byteCount(start.load(as: UInt32.self))
    }
    return .truncated(
      path: file.file.path, offset: windowOffset + index, needed: needed, left: left)
  }

  private func damaged(at index: Int, _ problem: String) -> LogError {
    .damaged(path: file.file.path, offset: windowOffset + index, problem: problem)
  }
}

/// What the reading loop must know of a tag, one byte for each number.
struct TagClasses {
  enum Kind: UInt8 {
    case plain
    case end
    case link
    case batch
    /// A number that marks the end or the wrap of a ring, or unwritten memory.
    case mark
    case unknown
  }

  private let kinds: [Kind]

  init(_ table: TagTable) {
    var kinds = [Kind](repeating: .unknown, count: 256)
    for number in UInt8.min...UInt8.max where table.tag(number) != nil { kinds[Int(number)] = .plain }
    kinds[0] = .mark
    kinds[254] = .mark
    kinds[Int(RecordHeader.batchTag)] = .batch
    if let number = table.number(of: .end) { kinds[Int(number)] = .end }
    if let number = table.number(of: .link) { kinds[Int(number)] = .link }
    self.kinds = kinds
  }

  subscript(tag: UInt8) -> Kind { kinds[Int(tag)] }
}
