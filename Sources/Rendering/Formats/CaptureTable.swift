import VarnishLog

/// A capture plan in the form that the walk over records uses: plain memory, eight bytes for each tag number
/// of each side.
///
/// The caller owns the memory and calls `deallocate`.
@safe struct CaptureTable {
  // Invariant: there is a step for each number that a byte can hold, of each side.

  private let steps: UnsafeMutablePointer<CaptureStep>
  private static let sideCount = 256

  init(_ plan: CapturePlan) {
    unsafe steps = .allocate(capacity: 2 * Self.sideCount)
    for number in RecordHeader.tagNumbers {
      for isBackend in [false, true] {
        let index = (isBackend ? Self.sideCount : 0) + Int(number)
        unsafe (steps + index).initialize(
          to: CaptureStep(plan.entry(number, isBackend: isBackend), plan.rules, isBackend))
      }
    }
  }

  /// The steps for records of one side, by tag number.
  @inline(__always)
  func steps(isBackend: Bool) -> UnsafePointer<CaptureStep> {
    unsafe UnsafePointer(steps + (isBackend ? Self.sideCount : 0))
  }

  func deallocate() { unsafe steps.deallocate() }
}

/// What to do with a record of one tag in a transaction of one side, with all look-ups done.
struct CaptureStep {
  /// How a value is taken.
  enum Kind: UInt8 {
    case none
    /// By name, and then in another way as well.
    case watched
    /// The payload without white space around it.
    case text
    /// One of the payload's fields.
    case field
    case url
    case requestHeader
    case requestUnset
    case responseHeader
    case responseUnset
    case requestAccount
    case pipeAccount
    case timestamp
    case call
    case `return`
    case hitMiss
    case hitPass
    case logKey
    case garbage
  }

  var kind = Kind.none
  /// For records that are looked for by name, the second way in which a value is taken.
  var kindBehindNames = Kind.none
  /// The slot for a text or field, among those without a name.
  var slot: UInt8 = 0
  /// Which field, counted from 1.
  var field: UInt8 = 0
  /// Whether the last of several values counts, rather than the first.
  var takesLast = false
  /// Whether the record doesn't count once VCL has begun to change the message.
  var endsWithPhase = false
  /// Whether the payload is taken without its final NULs.
  var isStripped = true
  /// Makes the step eight bytes long, so that a tag's number is shifted rather than multiplied.
  private let padding: UInt8 = 0

  /// Makes the step for a plan's entry, by the rules of a release and for one side.
  init(_ entry: CapturePlan.Entry, _ rules: NCSARules, _ isBackend: Bool) {
    isStripped = entry.isStripped
    take(entry.action, rules, isBackend)
    guard entry.isWatched else { return }
    kindBehindNames = kind
    kind = .watched
  }

  private mutating func take(_ action: CapturePlan.Action, _ rules: NCSARules, _ isBackend: Bool) {
    switch action {
    case .none: kind = .none
    case .clientAddress: takeField(1, takesLast: false)
    case .backendAddress: takeField(3, takesLast: !rules.followsPhases)
    case .backendStartAddress: takeField(1, takesLast: true)
    case .method: takeRequest(.text, .method, rules, isBackend)
    case .url: takeRequest(.url, .url, rules, isBackend)
    case .httpProtocol: takeRequest(.text, .httpProtocol, rules, isBackend)
    case .requestHeader: takeRequestHeader(.requestHeader, rules, isBackend)
    case .requestUnset: takeRequestHeader(.requestUnset, rules, isBackend)
    case .status:
      takeResponse(.text, rules, isBackend)
      slot = UInt8(FormatItem.Field.status.rawValue)
    case .responseHeader: takeResponse(.responseHeader, rules, isBackend)
    case .responseUnset: takeResponse(.responseUnset, rules, isBackend)
    case .requestAccount: kind = .requestAccount
    case .pipeAccount: kind = .pipeAccount
    case .timestamp: kind = .timestamp
    case .call: kind = .call
    case .return: kind = .return
    case .hitMiss: kind = .hitMiss
    case .hitPass: kind = .hitPass
    case .logKey: kind = .logKey
    case .garbage: kind = .garbage
    }
  }

  private mutating func takeField(_ number: UInt8, takesLast: Bool) {
    kind = .field
    slot = UInt8(FormatItem.Field.remoteAddress.rawValue)
    field = number
    self.takesLast = takesLast
  }

  /// Prepares for a part of the request of which VCL can't have two.
  private mutating func takeRequest(
    _ kind: Kind, _ field: FormatItem.Field, _ rules: NCSARules, _ isBackend: Bool
  ) {
    self.kind = kind
    slot = UInt8(field.rawValue)
    takesLast = rules.followsPhases && isBackend
    endsWithPhase = rules.followsPhases
  }

  private mutating func takeRequestHeader(_ kind: Kind, _ rules: NCSARules, _ isBackend: Bool) {
    self.kind = kind
    takesLast = !rules.followsPhases || isBackend
    endsWithPhase = rules.followsPhases
  }

  private mutating func takeResponse(_ kind: Kind, _ rules: NCSARules, _ isBackend: Bool) {
    self.kind = kind
    takesLast = !(rules.followsPhases && isBackend)
    endsWithPhase = rules.followsPhases && isBackend
  }
}

/// A value found in a transaction: its address and length, or that it was removed.
@safe struct CapturedValue {
  // Invariant: if there is a start, `byteCount` bytes of the transaction follow it, as they were taken from a
  // `LogBytes`; they are read before the next transaction is walked over.

  private let start: UnsafeRawPointer?
  /// A payload has at most 64 KiB.
  private let byteCount: UInt32
  /// 1 if a record has set the value, or has removed it.
  ///
  /// A whole word, so that sixteen bytes are stored at once.
  private let mark: UInt32

  /// No record has set the value.
  static var none: CapturedValue { unsafe CapturedValue(start: nil, byteCount: 0, mark: 0) }

  private init(start: UnsafeRawPointer?, byteCount: UInt32, mark: UInt32) {
    unsafe self.start = start
    self.byteCount = byteCount
    self.mark = mark
  }

  /// A value that a record has set, or nil if it has removed the value.
  @inline(__always)
  init(_ value: LogBytes?) {
    unsafe start = value.map { unsafe $0.start }
    byteCount = UInt32(truncatingIfNeeded: value?.count ?? 0)
    mark = 1
  }

  /// Whether a record has set or removed the value.
  @inline(__always)
  var isSet: Bool { mark != 0 }

  /// The value; nil if there is none.
  @inline(__always)
  var bytes: LogBytes? {
    guard let start = unsafe start else { return nil }
    return unsafe LogBytes(start: start, count: Int(byteCount))
  }
}
