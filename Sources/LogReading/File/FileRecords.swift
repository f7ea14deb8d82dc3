public import VarnishLog

/// The records of a binary log file, seen through a window that moves along it.
///
/// What is handed out lies in the window and stays there until the next call.
public struct FileRecords<Layout: RecordLayout>: LogFileSource, ~Copyable {
  var window: FileWindow
  /// Where in the window the next record begins.
  var offsetInWindow = 0
  /// What is picked out of runs, by the log's own tag numbering from `begin` on.
  @usableFromInline var picks = RunPicks<Layout>(TagTable(NumberingProbe(Layout.self).fallback))
  private var probe = NumberingProbe(Layout.self)
  private let assumedNumbering: TagNumbering
  private let knownNumbering: TagNumbering?

  /// The records of tags that the numbering gives no meaning; nil if there were none.
  public internal(set) var unknownTags: UnknownTags?

  /// Prepares for reading behind the file's marker; `begin` comes first.
  ///
  /// - Parameters:
  ///   - assumedNumbering: what to take if the first records don't tell; the commoner one if nil.
  ///   - knownNumbering: the file's numbering, even if the first records show another one.
  public init(
    _ file: consuming LogFile, assuming assumedNumbering: TagNumbering?,
    knowing knownNumbering: TagNumbering? = nil
  ) {
    window = FileWindow(file)
    self.assumedNumbering = assumedNumbering ?? NumberingProbe(Layout.self).fallback
    self.knownNumbering = knownNumbering
  }

  /// The tag numbering that is known, or that the first records show.
  public var numbering: TagNumbering { knownNumbering ?? probe.result ?? assumedNumbering }

  /// The tag numbering that is known or that the first records show; nil if there is none.
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
    pick(PickWish(), TagTable(numbering))
  }

  deinit { picks.deallocate() }

  /// Sets which records are picked out of runs from now on.
  public mutating func pick(_ wish: PickWish, _ tags: TagTable) {
    picks.deallocate()
    picks = RunPicks(tags, wish)
  }

  /// What was picked out of the run that was handed out last; nil for any other run.
  @inlinable
  public func picked(of run: RecordRun<Layout>) -> PickedRecords<Layout>? { picks.picked(of: run) }

  /// The number in the next record's header, if that is in the window.
  public private(set) var upcomingVXID: UInt64 = 0

  /// Whether records of no transaction are handed out too.
  public var includesUnattributed = false

  /// A file doesn't tell which records were written together.
  public static var recordsStandAlone: Bool { true }

  /// Whether the file is compressed, so that offsets count decoded bytes.
  public var isDecoded: Bool { window.isDecoded }

  /// Which file it is.
  public var incarnation: LogIncarnation { window.incarnation }

  /// Where reading goes on: bytes from the beginning of the file, or of what was decoded from it.
  public var nextPlace: UInt64 { UInt64(truncatingIfNeeded: window.offset &+ offsetInWindow) }

  /// A file isn't overwritten.
  public var isIntact: Bool { true }

  /// The file, which may be a pipe.
  public var waitDescriptor: Int32? { window.descriptor }

  /// Bytes from the beginning of the file, or of what was decoded from it.
  public func offset(of address: UnsafeRawPointer) -> Int {
    unsafe window.offset + (address - window.start)
  }

  // The attribute lets callers in other modules, which know the layout, call the specialisation for it
  // directly: with `@specialized` they compare types at each call, which costs 60 instructions.

  /// The next records of one transaction that stand together: up to its `End`, another `Begin`, a record
  /// of another transaction or `linksMax` links.
  ///
  /// Records of no transaction are passed over, unless they were asked for.
  ///
  /// - Throws: `LogError.truncated` at a record that isn't all there, `.damaged` at one that can't be, and
  ///   `.readFailed` or `.undecodable` behind the last record that could be read.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func next() throws(LogError) -> SourceStep<Layout> {
    while true {
      let start = unsafe window.start + offsetInWindow
      let run = unsafe picks.find(at: start, byteCount: window.byteCount - offsetInWindow)
      // A run that is longer than a window is handed out in pieces.
      if run.byteCount > 0,
        run.isEnded || window.reachedEnd || (window.isFull && offsetInWindow == 0)
      {
        let place = nextPlace
        if run.unknown.count > 0 { note(run) }
        offsetInWindow += run.byteCount
        upcomingVXID =
          unsafe window.byteCount - offsetInWindow >= Layout.headerByteCount
          ? Layout.vxid(start + run.byteCount) : 0
        if run.vxid == 0, !includesUnattributed { continue }
        return unsafe .records(
          RecordRun(start: start, byteCount: run.byteCount, place: place, shape: run.shape(Layout.self)))
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
      // A pipe that has nothing now isn't waited for here: what was made of earlier records can be shipped
      // meanwhile.
      guard window.isReady else { return .idle }
      try window.slide(by: offsetInWindow)
      offsetInWindow = 0
    }
  }

  /// Passes over a batch header, which has a meaning only in a ring.
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

  private mutating func note(_ run: FoundRun) {
    unknownTags += UnknownTags(run, at: window.offset + offsetInWindow)
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
