import Transactions
import VarnishLog

/// Where a request came from, and through which listener.
struct ClientAddress {
  var address = "-", port = "-", listener = "a0"

  init<Layout: RecordLayout>(_ request: Transaction<Layout>, _ tags: TagTable) {
    var cursor = request.makeCursor()
    while let record = cursor.next() {
      guard tags.tag(record.tag) == .reqStart else { continue }
      let payload = record.payload.droppingFinalNULs
      address = payload.field(1)?.text ?? address
      port = payload.field(2)?.text ?? port
      listener = payload.field(3)?.text ?? listener
      return
    }
  }
}

/// What must be known of a request's records before the first one is written.
struct RequestSurvey {
  private(set) var status: String?
  private(set) var bodyByteCount: String?
  private(set) var headerByteCount = 0
  private(set) var isPiped = false
  /// Whether the status was set more than once.
  private(set) var hasSeveralStatuses = false
  private var start: String?, end: String?, firstByte: String?

  init<Layout: RecordLayout>(_ request: Transaction<Layout>, _ tags: TagTable) {
    var cursor = request.makeCursor()
    while let record = cursor.next() {
      let payload = record.payload.droppingFinalNULs
      switch tags.tag(record.tag) {
      case .respStatus?:
        hasSeveralStatuses = status != nil
        status = payload.trimmed.text
      case .reqAcct? where bodyByteCount == nil:
        bodyByteCount = payload.field(5)?.text
        headerByteCount = payload.field(4).flatMap { Int($0.text) } ?? 0
      case .pipeAcct?: isPiped = true
      case .timestamp?: note(payload)
      default: continue
      }
    }
  }

  private mutating func note(_ payload: LogBytes) {
    guard let label = payload.field(1), let time = payload.field(2) else { return }
    if label.equals(lowercased: "start:") {
      start = start ?? time.text
    } else if label.equals(lowercased: "resp:") || label.equals(lowercased: "pipesess:") {
      end = end ?? time.text
    } else if label.equals(lowercased: "process:") || label.equals(lowercased: "pipe:") {
      firstByte = firstByte ?? payload.field(3)?.text
    }
  }

  /// What `ReqEnd` says behind the number: when it came and ended, and how long each part took.
  var times: String {
    guard let start else { return "0.000000000 0.000000000 nan nan nan" }
    return "\(start) \(end ?? start) 0.000000000 \(firstByte ?? "nan") nan"
  }
}

/// What must be known of a fetch's records before the first one is written.
struct FetchSurvey {
  private(set) var backend = "default"
  /// The near end's address and port, then the far end's; nil if the connection isn't known.
  private(set) var connection: String?
  private(set) var bodyByteCount: String?
  /// Whether the connection is kept for another fetch.
  private(set) var isKept = false

  init<Layout: RecordLayout>(_ fetch: Transaction<Layout>, _ tags: TagTable) {
    var cursor = fetch.makeCursor()
    while let record = cursor.next() {
      let payload = record.payload.droppingFinalNULs
      switch tags.tag(record.tag) {
      case .backendOpen?:
        backend = payload.field(2)?.text ?? backend
        let fields = (3...6).map { payload.field($0)?.text ?? "0" }
        connection = "\(fields[2]) \(fields[3]) \(fields[0]) \(fields[1])"
      case .backendReuse?: isKept = true
      case .backendClose?: isKept = payload.field(3)?.equals("recycle") ?? false
      case .bereqAcct?: bodyByteCount = bodyByteCount ?? payload.field(5)?.text
      default: continue
      }
    }
  }
}

/// What `StatSess` says of a connection.
struct SessionTotals {
  var pipes = 0, passes = 0, fetches = 0
  private(set) var headerBytes = 0, bodyBytes = 0
  var isPiped: Bool { pipes > 0 }

  mutating func add(_ survey: RequestSurvey) {
    headerBytes += survey.headerByteCount
    bodyBytes += survey.bodyByteCount.flatMap { Int($0) } ?? 0
  }
}
