public import LogReading
import VarnishLog

/// What the records of a captured log say about the log.
public struct LogSurvey: Sendable {
  /// Why it couldn't be read to its end; nil if it could.
  public private(set) var fault: LogError?
  /// What couldn't be read.
  public private(set) var givenUp = GivenUp()
  /// The releases with the log's tag numbering, as in "3.0".
  public private(set) var releases: String?
  /// Whether it is a log of 2.0 to 3.0, of which transactions are made.
  public private(set) var isOld = false
  /// How many records there are, and how many bytes they take.
  public private(set) var records = 0, byteCount = 0
  /// How many bytes of the log were read, with all that lies between the records.
  public private(set) var readByteCount = 0
  /// Records by tag.
  public private(set) var tags: [String: Int] = [:]
  /// Transactions that begin, by their kind and why they were begun, as in "req rxreq".
  public private(set) var transactions: [String: Int] = [:]
  /// The first and the last time in it, in nanoseconds since 1970.
  public private(set) var span: ClosedRange<Int64>?
  /// The first and the last time at which a transaction is known to have ended, or something else to have been
  /// recorded.
  public private(set) var written: ClosedRange<Int64>?
  /// Records that may have been cut, by tag.
  private(set) var cuts: [String: CutSurvey.Tally] = [:]
  /// How long the longest record is, or could have been by default, as the server's parameter counts.
  public private(set) var recordByteCountMax = CutSurvey.usualLimit

  private static let kindsMax = 256
  /// The transaction that began last, and the last time in it.
  private var openVXID: UInt64?, openTime: Int64?

  /// Reads all of a log.
  public init(_ log: consuming CapturedLog) {
    switch consume log {
    case .narrowFile(var source): read(&source)
    case .wideFile(var source): read(&source)
    case .file20(var source): read(&source)
    case .file21(var source): read(&source)
    case .file30(var source): read(&source)
    case .narrowImage(var source): read(&source)
    case .wideImage(var source): read(&source)
    case .image20(var source): read(&source)
    case .image21(var source): read(&source)
    case .image30(var source): read(&source)
    }
  }

  /// What is known of a log that can't be opened: nothing.
  public init(_ fault: LogError) { self.fault = fault }

  private mutating func read<Source: CapturedSource & ~Copyable>(_ source: inout Source) {
    releases = (source.singleNumbering ?? source.numbering).releases
    isOld = Source.makesTransactions
    let table = TagTable(source.numbering)
    var counts = [Int](repeating: 0, count: 256)
    var cutSurvey = CutSurvey(table, isOld: isOld)
    // Of a log of 2.0 to 3.0, the transactions made of it are counted.
    source.includesUnattributed = !isOld
    do throws(LogError) {
      reading: while true {
        let place = source.nextPlace
        switch try source.next() {
        case .records(let run):
          byteCount += run.byteCount
          readByteCount += Int(truncatingIfNeeded: source.nextPlace &- place)
          var cursor = run.makeCursor()
          while let record = cursor.next() {
            counts[Int(record.tag)] += 1
            let tag = table.tag(record.tag)
            cutSurvey.note(record, tag)
            note(record, tag)
          }
        case .end: break reading
        case .damaged(let error): throw error
        case .gap, .idle, .overrun: continue
        }
      }
    } catch {
      fault = error
    }
    givenUp = source.givenUp
    func name(_ number: UInt8) -> String { table.tag(number)?.name ?? "tag \(number)" }
    for number in RecordHeader.tagNumbers where counts[Int(number)] > 0 {
      tags[name(number)] = counts[Int(number)]
      records += counts[Int(number)]
    }
    for (number, tally) in cutSurvey.tallies { cuts[name(number)] = tally }
    recordByteCountMax = cutSurvey.limit - (isOld ? 1 : 0)
  }

  private mutating func note<Layout: RecordLayout>(_ record: Record<Layout>, _ tag: Tag?) {
    let payload = record.payload.droppingFinalNULs
    switch tag {
    case .begin?:
      (openVXID, openTime) = (record.vxid, nil)
      guard let type = payload.field(1), let reason = payload.field(3) else { return }
      let kind = "\(type.text) \(reason.text)"
      // A hostile log could have any number of kinds.
      if transactions.count < Self.kindsMax || transactions[kind] != nil {
        transactions[kind, default: 0] += 1
      }
    case .timestamp?:
      guard let time = Self.time(payload, field: 2) else { return }
      Self.widen(&span, time)
      if record.vxid == openVXID { openTime = max(openTime ?? time, time) }
    case .end?:
      // A batch is written when its transaction ends.
      if record.vxid == openVXID, let openTime { Self.widen(&written, openTime) }
      (openVXID, openTime) = (nil, nil)
    case .cli?:
      // The manager asks a worker every few seconds whether it is there, and gets the time for an answer.
      guard payload.field(4)?.equals("PONG") == true, let time = Self.time(payload, field: 5) else { return }
      Self.widen(&span, time)
      Self.widen(&written, time)
    default: return
    }
  }

  private static func time(_ payload: LogBytes, field: Int) -> Int64? {
    payload.field(field).flatMap { RecordedTime($0) }?.nanoseconds
  }

  private static func widen(_ span: inout ClosedRange<Int64>?, _ time: Int64) {
    span = min(span?.lowerBound ?? time, time)...max(span?.upperBound ?? time, time)
  }
}
