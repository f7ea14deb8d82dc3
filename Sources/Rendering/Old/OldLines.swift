import Glibc
import VarnishLog

/// Makes lines of a log of 2.0 to 3.0 as varnishncsa of that time does (`ncsa-format.md` 13): from all
/// records of a connection between `ReqStart` and `ReqEnd`.
struct OldLines: ~Copyable {
  private var filter: OldFilter
  private let items: [FormatItem]
  private let is2x: Bool
  /// Whether the first field is the value of `X-Forwarded-For`.
  private let prefersForwarded: Bool
  private let escaper: Escaper
  private let actions: [Action]
  var states: [UInt64: State] = [:]
  private var clocks: [Int: ClockText] = [:]

  /// The entry to be written next.
  private(set) var entry: [UInt8] = []

  private enum Action {
    case none
    case begin, end
    case method, url, httpProtocol, status, length
    case requestHeader, responseHeader
    case logKey, call, sessionClose
  }

  /// The state of a connection.
  struct State {
    var isActive = false
    var address: [UInt8]?
    var method: [UInt8]?, url: [UInt8]?, query: [UInt8] = [], httpProtocol: [UInt8]?
    var status: [UInt8]?, bytes: [UInt8]?
    var user: [UInt8]?
    /// By their names in lower case.
    var requestHeaders: [[UInt8]: [UInt8]] = [:]
    var responseHeaders: [[UInt8]: [UInt8]] = [:]
    var logged: [[UInt8]: [UInt8]] = [:]
    var hitMiss = "-", handling = "-"
    var firstByte: [UInt8] = []
    var start = 0.0, end = 0.0
    var matches: UInt64 = 0

    /// How many headers and keys are kept; a client might send any number.
    static let keptCountMax = 1024
  }

  /// Makes a converter for a log.
  ///
  /// - Parameter items: the pieces of the format, or of 2.x's only one.
  init(
    _ selection: OldSelection, _ items: [FormatItem], rules: NCSARules, prefersForwarded: Bool, tags: TagTable
  ) throws(OldSelectionError) {
    // Records that aren't known to be a client's count for nothing.
    var selection = selection
    selection.client = true
    filter = try OldFilter(selection, tags: tags)
    self.items = items
    is2x = !rules.since(3, 0)
    self.prefersForwarded = prefersForwarded
    escaper = Escaper(rules.textEscaping)
    var actions = [Action](repeating: .none, count: 256)
    func set(_ tag: Tag, _ action: Action) {
      if let number = tags.number(of: tag) { actions[Int(number)] = action }
    }
    set(.reqStart, .begin)
    set(.reqEnd, .end)
    set(.rxRequest, .method)
    set(.rxURL, .url)
    set(.rxProtocol, .httpProtocol)
    set(.rxHeader, .requestHeader)
    set(.txStatus, .status)
    set(.txHeader, .responseHeader)
    set(.length, .length)
    set(.vclLog, .logKey)
    set(.vclCall, .call)
    set(.sessionClose, .sessionClose)
    self.actions = actions
    for (index, item) in items.enumerated() {
      if case .time(let format, let isUTC) = item { clocks[index] = ClockText(format: format, isUTC: isUTC) }
    }
  }

  deinit { escaper.deallocate() }

  /// Takes a record in.
  mutating func take(_ record: Record<WideRecords>) -> OldOutcome {
    entry.removeAll(keepingCapacity: true)
    let payload = record.payload.droppingFinalNUL
    switch filter.verdict(tag: record.tag, side: record.side, payload: payload) {
    case .passes: break
    case .isHidden: return .absorbed
    case .ends: return .ended
    }
    let action = actions[Int(record.tag)]
    guard action != .none || filter.hasMatches else { return .absorbed }
    let key = record.vxid
    // Removed from the dictionary, so that it is changed in place.
    var state = states.removeValue(forKey: key) ?? State()
    let matched = filter.hasMatches ? filter.matches(tag: record.tag, payload: payload) : 0
    let text = payload.prefix(payload.firstIndex(of: 0) ?? payload.count)
    if action == .begin, state.isActive || state.address != nil { state = State() }
    state.matches |= matched
    var outcome = OldOutcome.absorbed
    if action == .begin {
      state.isActive = true
      state.address = (text.field(1) ?? text.prefix(0)).bytes
    } else if state.isActive {
      if action == .end {
        outcome = end(&state, text)
        state = State()
      } else if !take(text, action, &state) {
        outcome = .hidden
        state = State()
      }
    }
    if state.isActive || state.matches != 0 { states[key] = state }
    return outcome
  }

  /// Notes what a record tells about an active request.
  ///
  /// - Returns: false if the request gives no line.
  private func take(_ text: LogBytes, _ action: Action, _ state: inout State) -> Bool {
    switch action {
    case .none, .begin, .end: break
    case .method: return Self.set(&state.method, text.trimmed)
    case .url:
      guard state.url == nil else { return false }
      let url = text.trimmed
      let mark = url.firstIndex(of: UInt8(ascii: "?")) ?? url.count
      state.url = url.prefix(mark).bytes
      state.query = url.dropFirst(mark).bytes
    case .httpProtocol: return Self.set(&state.httpProtocol, text.trimmed)
    case .status: return Self.set(&state.status, text.trimmed)
    case .length: return Self.set(&state.bytes, text.trimmed)
    case .requestHeader: takeRequestHeader(text, &state)
    case .responseHeader: Self.keep(Self.pair(text), in: &state.responseHeaders)
    case .logKey: Self.keep(Self.pair(text), in: &state.logged)
    case .call: return is2x || Self.take(call: text, &state)
    case .sessionClose: return is2x || !(text.equals("pipe") || text.equals("error"))
    }
    return true
  }

  /// Sets a value that a request has once: a second one belongs to something else.
  private static func set(_ value: inout [UInt8]?, _ text: LogBytes) -> Bool {
    guard value == nil else { return false }
    value = text.bytes
    return true
  }

  private static func take(call method: LogBytes, _ state: inout State) -> Bool {
    if method.equals("hit") {
      (state.hitMiss, state.handling) = ("hit", "hit")
    } else if method.equals("miss") {
      (state.hitMiss, state.handling) = ("miss", "miss")
    } else if method.equals("pass") {
      (state.hitMiss, state.handling) = ("miss", "pass")
    } else if method.equals("pipe") {
      // Piped requests aren't logged.
      return false
    }
    return true
  }

  private func takeRequestHeader(_ text: LogBytes, _ state: inout State) {
    guard let (name, value) = Self.pair(text) else { return }
    if name == Array("authorization".utf8), value.hasPrefix(lowercased: is2x ? "basic" : "basic ") {
      state.user = OldUser.name(value.dropFirst(5).droppingLeadingBlanks)
    } else {
      Self.keep((name, value), in: &state.requestHeaders)
    }
  }

  /// The text before the first colon, in lower case, and the text behind it; nil if there is none.
  private static func pair(_ text: LogBytes) -> (name: [UInt8], value: LogBytes)? {
    guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    return (text.prefix(colon).trimmed.bytes.map(ASCII.lowercased), text.dropFirst(colon + 1).trimmed)
  }

  private static func keep(_ pair: (name: [UInt8], value: LogBytes)?, in values: inout [[UInt8]: [UInt8]]) {
    guard let pair, values.count < State.keptCountMax || values[pair.name] != nil else { return }
    values[pair.name] = pair.value.bytes
  }

  // MARK: The line

  private mutating func end(_ state: inout State, _ text: LogBytes) -> OldOutcome {
    guard state.matches & filter.allMatches == filter.allMatches else { return .hidden }
    let end = text.field(3).flatMap(LogNumber.seconds)
    if is2x {
      // 2.x only uses the time of the end.
      guard let end else { return .hidden }
      (state.start, state.end) = (end, end)
      state.firstByte = text.field(5)?.bytes ?? []
    } else {
      guard let start = text.field(2).flatMap(LogNumber.seconds), let end, let waited = text.field(4),
        waited.firstIndex(of: UInt8(ascii: ".")) != nil, LogNumber.seconds(waited) != nil,
        let firstByte = text.field(5)
      else { return .hidden }
      (state.start, state.end) = (start, end)
      state.firstByte = firstByte.bytes
    }
    for (index, item) in items.enumerated() { put(item, index, state) }
    entry.append(UInt8(ascii: "\n"))
    return .entry
  }

  private mutating func put(_ item: FormatItem, _ index: Int, _ state: State) {
    switch item {
    case .literal(let text): entry += text
    case .field(let field): put(field, state)
    case .requestLine: putRequestLine(state)
    case .user: put(state.user, or: "-")
    case .time: putTime(index, state)
    case .duration(.microseconds): put(number: (state.end - state.start) * 1e6)
    case .duration: put(number: state.end - state.start)
    case .requestHeader(let name, _): put(header: name, of: state.requestHeaders)
    case .responseHeader(let name, _): put(header: name, of: state.responseHeaders)
    case .logKey(let key): put(state.logged[key.map(ASCII.lowercased)], or: "-")
    case .hitMiss: entry += state.hitMiss.utf8
    case .handling: entry += state.handling.utf8
    // These releases have no other pieces.
    default: break
    }
  }

  private mutating func put(_ field: FormatItem.Field, _ state: State) {
    switch field {
    case .remoteAddress: putAddress(state)
    case .method: put(state.method, or: is2x ? "(null)" : "-")
    case .url: put(state.url, or: is2x ? "(null)" : "-")
    case .queryString: put(state.query, or: "")
    case .httpProtocol: put(state.httpProtocol, or: is2x ? "(null)" : "HTTP/1.0")
    case .status: put(state.status, or: is2x ? "(null)" : "")
    case .bodyBytesSent: put(state.bytes, or: "-")
    case .firstByte: put(state.firstByte, or: "-")
    case .bytesReceived, .bytesSent: put(nil, or: "-")
    }
  }

  private mutating func putAddress(_ state: State) {
    guard prefersForwarded else { return put(state.address, or: "-") }
    let forwarded = state.requestHeaders[Array("x-forwarded-for".utf8)]
    put(forwarded ?? (is2x ? state.address : nil), or: "-")
  }

  private mutating func put(header name: [UInt8], of headers: [[UInt8]: [UInt8]]) {
    put(headers[name.map(ASCII.lowercased)], or: "-")
  }

  private mutating func putRequestLine(_ state: State) {
    put(state.method, or: is2x ? "(null)" : "-")
    entry.append(UInt8(ascii: " "))
    let host = state.requestHeaders[Array("host".utf8)]
    let scheme = Array("http://".utf8)
    if let host, !host.starts(with: scheme) { entry += scheme }
    if host == nil, !is2x { entry += scheme }
    put(host, or: is2x ? "" : "localhost")
    put(state.url, or: is2x ? "(null)" : "-")
    put(state.query, or: "")
    entry.append(UInt8(ascii: " "))
    put(state.httpProtocol, or: is2x ? "(null)" : "HTTP/1.0")
  }

  private mutating func put(_ value: [UInt8]?, or missing: String) {
    guard let value else {
      entry += missing.utf8
      return
    }
    // A byte becomes four bytes at most.
    let room = 4 * value.count
    let escaped = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      var line = unsafe LineWriter(UnsafeMutableRawBufferPointer(buffer))
      unsafe value.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress else { return }
        unsafe escaper.put(LogBytes(start: start, count: bytes.count), to: &line)
      }
      count = line.count
    }
    entry += escaped
  }

  /// Writes a number as C converts it to an `int`.
  private mutating func put(number: Double) {
    let whole = Int32(exactly: number.rounded(.towardZero)) ?? .min
    entry += String(whole).utf8
  }

  private mutating func putTime(_ index: Int, _ state: State) {
    let second = Int64(state.start.rounded(.towardZero))
    var room = 128
    while room <= 4 * ClockText.byteCountMax {
      var isDone = false
      let text = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        var line = unsafe LineWriter(UnsafeMutableRawBufferPointer(buffer))
        clocks[index]?.put(second, to: &line)
        isDone = !line.overflowed
        count = line.count
      }
      if isDone {
        entry += text
        return
      }
      room *= 16
    }
  }
}

/// The user name of basic authorisation, as 2.0 to 3.0 decode it.
enum OldUser {
  /// The name in front of the first colon; nil if the token isn't base64.
  ///
  /// Those releases print what was in their memory in that case.
  static func name(_ token: LogBytes) -> [UInt8]? {
    var name: [UInt8] = []
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for index in 0..<token.count {
      let byte = token[index]
      if byte == UInt8(ascii: "=") { break }
      guard let value = BasicUser.value(of: byte) else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 6
      guard count >= 8 else { continue }
      count -= 8
      let decoded = UInt8(truncatingIfNeeded: bits >> count)
      if decoded == UInt8(ascii: ":") || decoded == 0 { return name }
      name.append(decoded)
    }
    return name
  }
}

extension LogBytes {
  /// A copy of the bytes.
  fileprivate var bytes: [UInt8] { unsafe Array(buffer) }
}
