public import LogReading
import VarnishLog

/// What the records of a captured log say of it.
public struct LogSurvey: Sendable {
  /// Why it couldn't be read to its end; nil if it could.
  public private(set) var fault: LogError?
  /// What couldn't be read.
  public private(set) var givenUp = GivenUp()
  /// The releases that number tags so, as in "3.0".
  public private(set) var releases = ""
  /// Records and the bytes that they take.
  public private(set) var records = 0, byteCount = 0
  /// Records by tag.
  public private(set) var tags: [String: Int] = [:]
  /// Transactions that begin, by their kind and why they were begun, as in "req rxreq".
  public private(set) var transactions: [String: Int] = [:]
  /// The first and the last time in it, in nanoseconds since 1970.
  public private(set) var span: ClosedRange<Int64>?
  /// Records that are as long as a server cuts them by default, by tag.
  public private(set) var cut: [String: Int] = [:]

  /// What `vsl_reclen` is by default: behind so many bytes, the NUL among them, a server cuts records.
  public static let recordByteCountUsual = 255
  private static let kindsMax = 256

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

  private mutating func read<Source: CapturedSource & ~Copyable>(_ source: inout Source) {
    releases = (source.singleNumbering ?? source.numbering).releases
    let table = TagTable(source.numbering)
    var counts = [Int](repeating: 0, count: 256), cuts = counts
    // Of a log of 2.0 to 3.0 what is made of it is counted.
    source.includesUnattributed = !Source.makesTransactions
    do throws(LogError) {
      reading: while true {
        switch try source.next() {
        case .records(let run):
          byteCount += run.byteCount
          var cursor = run.makeCursor()
          while let record = cursor.next() {
            counts[Int(record.tag)] += 1
            if record.payload.count == Self.recordByteCountUsual { cuts[Int(record.tag)] += 1 }
            note(record, table.tag(record.tag))
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
    for number in UInt8.min...UInt8.max where counts[Int(number)] > 0 {
      let name = table.tag(number)?.name ?? "tag \(number)"
      tags[name] = counts[Int(number)]
      records += counts[Int(number)]
      if cuts[Int(number)] > 0 { cut[name] = cuts[Int(number)] }
    }
  }

  private mutating func note<Layout: RecordLayout>(_ record: Record<Layout>, _ tag: Tag?) {
    switch tag {
    case .begin?:
      let payload = record.payload.droppingFinalNULs
      guard let type = payload.field(1), let reason = payload.field(3) else { return }
      let kind = "\(type.text) \(reason.text)"
      // Hostile ones could go on for ever.
      if transactions.count < Self.kindsMax || transactions[kind] != nil {
        transactions[kind, default: 0] += 1
      }
    case .timestamp?:
      guard let time = record.payload.droppingFinalNULs.field(2).flatMap({ RecordedTime($0) })?.nanoseconds
      else { return }
      span = min(span?.lowerBound ?? time, time)...max(span?.upperBound ?? time, time)
    default: return
    }
  }
}
