import CShims
public import VarnishLog

/// The records of a binary log file, seen through a window that moves along it.
///
/// What is handed out lies in the window and stays there until the next call.
public struct FileRecords<Layout: RecordLayout>: LogFileSource, ~Copyable {
  var window: FileWindow
  /// Where in the window the next record begins.
  var offsetInWindow = 0
  private var classes: TagClasses
  private var probe = NumberingProbe(Layout.self)
  private let assumedNumbering: TagNumbering
  private let knownNumbering: TagNumbering?
  /// Up to where records of unknown tags have been counted; a run may be looked at twice.
  private var examinedOffset = 0

  /// The records of tags that the numbering gives no meaning; nil if there were none.
  public private(set) var unknownTags: UnknownTags?

  /// Prepares for reading behind the file's marker; `begin` comes first.
  ///
  /// - Parameters:
  ///   - assumedNumbering: what to take if the first records don't tell; the commoner one if nil.
  ///   - knownNumbering: what the file has, whatever the first records tell.
  public init(
    _ file: consuming LogFile, assuming assumedNumbering: TagNumbering?,
    knowing knownNumbering: TagNumbering? = nil
  ) {
    window = FileWindow(file)
    self.assumedNumbering = assumedNumbering ?? NumberingProbe(Layout.self).fallback
    self.knownNumbering = knownNumbering
    classes = TagClasses(TagTable(knownNumbering ?? self.assumedNumbering))
  }

  /// The tag numbering that is known, or that the first records show.
  public var numbering: TagNumbering { knownNumbering ?? probe.result ?? assumedNumbering }

  /// The same; nil if they don't show any.
  public var foundNumbering: TagNumbering? { knownNumbering ?? probe.result }

  /// Reads as much as it takes to tell the tag numbering, at most a window.
  ///
  /// - Throws: `LogError.readFailed` if the file can't be read.
  public mutating func begin() throws(LogError) {
    while probe.result == nil, !window.reachedEnd, !window.isFull {
      try window.slide(by: 0)
      var cursor = unsafe RecordRun<Layout>(start: window.start, byteCount: window.byteCount).makeCursor()
      while probe.result == nil, let record = cursor.next() {
        probe.examine(tag: record.tag, payload: record.payload)
      }
    }
    classes.deallocate()
    classes = TagClasses(TagTable(numbering))
  }

  deinit { classes.deallocate() }

  /// Whether records of no transaction are handed out too.
  public var includesUnattributed = false

  /// A file has forgotten what was written together.
  public static var recordsStandAlone: Bool { true }

  /// Whether the file is compressed, so that offsets are those in what it holds.
  public var isDecoded: Bool { window.isDecoded }

  /// Which file it is.
  public var incarnation: LogIncarnation { window.incarnation }

  /// Where reading goes on: bytes from the beginning of the file, or of what was decoded from it.
  public var nextPlace: UInt64 { UInt64(truncatingIfNeeded: window.offset &+ offsetInWindow) }

  /// Nobody overwrites a file.
  public var isIntact: Bool { true }

  /// The file, which may be a pipe.
  public var waitDescriptor: Int32? { window.descriptor }

  /// Bytes from the beginning of the file, or of what was decoded from it.
  public func offset(of address: UnsafeRawPointer) -> Int {
    unsafe window.offset + (address - window.start)
  }

  /// The next records of one transaction that stand together: up to its `End`, another `Begin`, a record
  /// of another transaction or `linksMax` links.
  ///
  /// Records of no transaction are passed over, unless they were asked for.
  ///
  /// - Throws: `LogError.truncated` at a record that isn't all there, `.damaged` at one that can't be, and
  ///   `.readFailed` or `.undecodable` behind the last record that could be read.
  @specialized(where Layout == NarrowRecords)
  @specialized(where Layout == WideRecords)
  public mutating func next() throws(LogError) -> SourceStep<Layout> {
    while true {
      let run = scan()
      if run.byteCount > 0, run.isEnded || window.isFull || window.reachedEnd {
        let start = unsafe window.start + offsetInWindow
        let place = nextPlace
        offsetInWindow += run.byteCount
        if run.vxid == 0, !includesUnattributed { continue }
        return unsafe .records(
          RecordRun(
            start: start, byteCount: run.byteCount, place: place,
            shape: run.begins && run.ends ? run.links > 0 ? .linked : .plain : .unknown))
      }
      if run.isEnded { try skipOddRecord() }
      if window.reachedEnd {
        let isAtEnd = offsetInWindow == window.byteCount
        if run.isEnded, !isAtEnd { continue }
        if let fault = window.fault { throw fault }
        if isAtEnd { return .end }
        throw truncated()
      }
      if run.isEnded { continue }
      // A pipe that has nothing now is not waited for in here: what was made of the rest can be shipped.
      guard window.isReady else { return .idle }
      try window.slide(by: offsetInWindow)
      offsetInWindow = 0
    }
  }

  /// What was found from `offsetInWindow` on.
  private struct Run {
    var byteCount = 0
    var vxid: UInt64 = 0
    var begins = false
    var ends = false
    var links = 0
    /// Whether more of the file couldn't make it longer.
    var isEnded = false
  }

  /// How many links one run may have: what one run adds to the grouper's table stays small.
  private static var linksMax: Int { 32 }

  private static var prefetchDistance: Int { 2048 }

  private mutating func scan() -> Run {
    let base = unsafe window.start
    let filled = window.byteCount
    var run = Run()
    // offsetInWindow <= at <= filled holds throughout, so none of the sums below can overflow.
    var at = offsetInWindow
    if filled &- at >= Layout.headerByteCount { run.vxid = unsafe Layout.vxid(base + at) }
    while filled &- at >= Layout.headerByteCount {
      let record = unsafe base + at
      // Here the file's bytes are touched for the first time; walking from header to header would wait for
      // each of them.
      unsafe shim_prefetch(record + Self.prefetchDistance)
      let word = unsafe record.load(as: UInt32.self)
      let byteCount = Record<Layout>.byteCount(word)
      guard byteCount <= filled &- at else { break }
      guard unsafe Layout.vxid(record) == run.vxid else {
        run.isEnded = true
        break
      }
      let kind = classes[RecordHeader.tag(word)]
      if kind == .plain {
        at &+= byteCount
        continue
      }
      if kind == .link { run.links += 1 }
      if kind == .unknown { noteUnknownTag(RecordHeader.tag(word), at: at) }
      let isOdd = kind == .batch || kind == .mark
      if isOdd || (at > offsetInWindow && (kind == .begin || run.links > Self.linksMax)) {
        run.isEnded = true
        break
      }
      at &+= byteCount
      if kind == .begin { run.begins = true }
      if kind == .end {
        run.ends = true
        run.isEnded = true
        break
      }
    }
    run.byteCount = at - offsetInWindow
    return run
  }

  /// Passes over a batch header, which only says something in a ring.
  ///
  /// - Throws: `LogError.damaged` if the record at `offsetInWindow` is what marks unwritten memory.
  private mutating func skipOddRecord() throws(LogError) {
    let tag = unsafe RecordHeader.tag((window.start + offsetInWindow).load(as: UInt32.self))
    guard tag == RecordHeader.batchTag else {
      throw .damaged(
        path: window.path, offset: window.offset + offsetInWindow, isDecoded: isDecoded,
        problem: "a record of tag \(tag), which no log has")
    }
    offsetInWindow += Layout.headerByteCount
  }

  private mutating func noteUnknownTag(_ tag: UInt8, at index: Int) {
    let offset = window.offset + index
    guard offset >= examinedOffset else { return }
    examinedOffset = offset + 1
    if unknownTags == nil {
      unknownTags = UnknownTags(count: 1, firstTag: tag, firstOffset: offset)
    } else {
      unknownTags?.count += 1
    }
  }

  private func truncated() -> LogError {
    let left = window.byteCount - offsetInWindow
    var needed = Layout.headerByteCount
    if left >= needed {
      needed = unsafe Record<Layout>.byteCount((window.start + offsetInWindow).load(as: UInt32.self))
    }
    return .truncated(
      path: window.path, offset: window.offset + offsetInWindow, isDecoded: isDecoded, needed: needed,
      left: left)
  }
}

/// Records whose tag has no meaning in the log's numbering.
public struct UnknownTags: Sendable, Equatable {
  /// How many there were.
  public internal(set) var count: Int
  /// The first one's tag, and where in the file it stands.
  public let firstTag: UInt8, firstOffset: Int
}
