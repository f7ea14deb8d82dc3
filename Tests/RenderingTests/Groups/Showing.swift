import LogQuery
import Rendering
import TestSupport
import Transactions
import VarnishLog

/// Shows sample logs without a process around it.
struct Showing {
  var form = GroupRenderer.Form.text(isVerbose: false)
  var version = VarnishVersion(7, 1)
  /// The grouping; nil shows every record by itself.
  var grouping: Grouping? = .vxid
  var client = false, backend = false, esi = false
  var rules: [RecordRule] = []
  var isForTerminal = false
  /// The size of the room for a group, in bytes.
  var roomByteCount = 1 << 20

  /// The text shown for a log.
  func text(_ log: LogFileBuilder) throws -> String {
    String(decoding: try bytes(log), as: UTF8.self)
  }

  /// The text shown for lines of the form `2 c Begin req 1 rxreq`.
  func text(_ lines: String) throws -> String {
    try text(LogFileBuilder(version < VarnishVersion(7, 3, 0) ? .twoWord : .threeWord, lines: lines))
  }

  func bytes(_ log: LogFileBuilder) throws -> [UInt8] {
    switch log.layout {
    case .twoWord: try bytes(log.bytes, NarrowRecords.self)
    case .threeWord: try bytes(log.bytes, WideRecords.self)
    }
  }

  private func bytes<Layout: RecordLayout>(_ file: [UInt8], _: Layout.Type) throws -> [UInt8] {
    let tags = TagTable(TagNumbering(of: version))
    let sides = SideSelection(
      client: client, backend: backend, esi: esi, rules: NCSARules(version, isStrict: true))
    var renderer = GroupRenderer(
      form, sides: sides,
      filter: try RecordFilter(rules, version: version, isStrict: true, tags: tags), tags: tags,
      version: version, isForTerminal: isForTerminal)
    var grouper = Grouper<Layout>(
      options: GroupingOptions(
        grouping: grouping ?? .vxid, candidateRule: .everything, wantsClient: true, wantsBackend: true,
        wantsESI: true),
      tags: tags)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: roomByteCount, alignment: 1)
    defer { room.deallocate() }
    var output: [UInt8] = []
    func show(_ render: (inout GroupRenderer, inout LineWriter) -> Bool) {
      var writer = LineWriter(room)
      let isShown = render(&renderer, &writer)
      if writer.overflowed {
        output += Array("OVERFLOW\n".utf8)
      } else if isShown {
        output += writer.written
      }
    }
    // Behind the marker, at a word boundary.
    Array(file.dropFirst(4)).withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return }
      var cursor = RecordRun<Layout>(start: start, byteCount: buffer.count).makeCursor()
      while let record = cursor.next() {
        guard grouping != nil else {
          show { renderer, writer in renderer.render(record, to: &writer) }
          continue
        }
        grouper.addEach(RecordRun(start: record.address, byteCount: record.bytes.count))
        while let group = grouper.next() {
          show { renderer, writer in renderer.render(group, to: &writer) }
        }
      }
    }
    return output
  }
}
