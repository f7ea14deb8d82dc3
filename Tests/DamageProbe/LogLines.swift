import LogReading
import Rendering
import Transactions
import VarnishLog

/// The result of reading a log: its lines, and which pieces of the log had been read when.
struct Account {
  var lines: [UInt8] = []
  /// Pieces of the log in the order in which they were read, and how many bytes of lines there were by then.
  private(set) var steps: [(bytes: Range<Int>, lineBytes: Int)] = []
  /// Whether the log lies in an archive, so that offsets in the log aren't offsets in the file.
  var isInside = false
  /// Whether the reader accepts a piece only if another valid piece follows.
  var looksAhead = false

  mutating func note(_ bytes: Range<Int>) { steps.append((bytes, lines.count)) }

  /// How many bytes of lines don't depend on the damaged bytes.
  func lineBytes(before damage: Damage) -> Int {
    guard !isInside else { return 0 }
    let first: Int?
    switch damage {
    case .cut(let byteCount): first = steps.firstIndex { $0.bytes.upperBound > byteCount }
    case .changed(let offset, _): first = steps.firstIndex { $0.bytes.contains(offset) }
    }
    guard var index = first else {
      // A damage that no piece covers (in a ring's head, or in the rest of a turn) may change any line; a cut
      // behind all pieces changes none.
      if case .cut = damage { return lines.count }
      return 0
    }
    if looksAhead, index > 0 {
      let end = steps[index - 1].bytes.upperBound
      while index > 0, steps[index - 1].bytes.upperBound == end { index -= 1 }
    }
    return index == 0 ? 0 : steps[index - 1].lineBytes
  }
}

/// Renders the lines of a captured log as a run does, without outputs.
enum LogLines {
  static func read(_ path: String, salvages: Bool) throws(LogError) -> Account {
    var options = CaptureOptions()
    options.salvages = salvages
    let input = try CapturedInput.find(path)
    let isInside = input.path != path
    var account = try read(input.open(options))
    account.isInside = isInside
    return account
  }

  private static func read(_ log: consuming CapturedLog) throws(LogError) -> Account {
    switch consume log {
    case .narrowFile(var source): return read(&source)
    case .wideFile(var source): return read(&source)
    case .file20(var source): return read(&source)
    case .file21(var source): return read(&source)
    case .file30(var source): return read(&source)
    case .narrowImage(var source): return read(&source)
    case .wideImage(var source): return read(&source)
    case .image20(var source): return read(&source)
    case .image21(var source): return read(&source)
    case .image30(var source): return read(&source)
    }
  }

  private static let format =
    Array(
      #"%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i" %D %T %I %O %q %{Content-Type}o "#.utf8)
    + Array("%{Varnish:hitmiss}x %{Varnish:handling}x %{Varnish:time_firstbyte}x %{Varnish:vxid}x".utf8)

  private static func read<Source: CapturedSource & ~Copyable>(_ source: inout Source) -> Account {
    var account = Account()
    account.looksAhead = source.beginsAnywhere
    let tags = TagTable(source.numbering)
    guard
      let lineFormat = try? LineFormat(
        format, rules: NCSARules(VarnishVersion(7, 1), isStrict: false), isJSON: false)
    else { preconditionFailure("the format is wrong") }
    var renderer = LineRenderer(lineFormat, tags: tags)
    var grouper = Grouper<Source.Layout>(
      options: GroupingOptions(
        grouping: .vxid, candidateRule: .everything, wantsClient: true, wantsBackend: true, wantsESI: true),
      tags: tags)
    source.includesUnattributed = !Source.makesTransactions
    var room = LineMemory()
    var end = 0
    reading: while true {
      guard let step = try? source.next() else { break }
      switch step {
      case .records(let run):
        let place = source.offset(of: run.start)
        var bytes = place..<place + run.byteCount
        // Transactions made by the source have no place in the file, so all that was read for them counts. A
        // batch has a head.
        if Source.makesTransactions {
          bytes = min(end, place)..<place
        } else {
          bytes = max(0, place - Source.Layout.headerByteCount)..<bytes.upperBound
        }
        end = bytes.upperBound
        if Source.Layout.vxid(run.start) != 0 {
          let hasGroups = Source.recordsStandAlone ? grouper.addEach(run) : grouper.add(run)
          while hasGroups, let group = grouper.next() {
            if account.looksAhead, group.containsForced { continue }
            for index in 0..<group.count { room.render(group[index], &renderer, to: &account.lines) }
          }
        }
        account.note(bytes)
        if grouper.oversized != nil { break reading }
      case .gap(let bytes):
        grouper.discardOpen()
        end = bytes.upperBound
      case .idle, .overrun: preconditionFailure("nothing writes to a copy")
      case .damaged, .end: break reading
      }
    }
    grouper.discardOpen()
    return account
  }
}

/// The memory into which a line is rendered.
private struct LineMemory: ~Copyable {
  private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)

  deinit { memory.deallocate() }

  mutating func render<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>, _ renderer: inout LineRenderer, to lines: inout [UInt8]
  ) {
    while true {
      var line = LineWriter(memory)
      guard renderer.render(transaction, to: &line) == .line else { return }
      if !line.overflowed {
        lines.append(contentsOf: line.written)
        return
      }
      let byteCount = 2 * memory.count
      precondition(byteCount <= 256 << 20, "a line without end")
      memory.deallocate()
      memory = .allocate(byteCount: byteCount, alignment: 1)
    }
  }
}
