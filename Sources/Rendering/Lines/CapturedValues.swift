import VarnishLog

/// The values that captures have found in a transaction, for writing lines.
@safe struct CapturedValues {
  // Invariant: `slots` belongs to captures, which `LineComposer.render` has checked to have as many as its
  // format needs. They are read only until the captures are used for another transaction.

  private let slots: UnsafePointer<CapturedValue>
  let hitMiss: Handling
  let handling: Handling

  init(slots: UnsafePointer<CapturedValue>, hitMiss: Handling, handling: Handling) {
    unsafe self.slots = slots
    self.hitMiss = hitMiss
    self.handling = handling
  }

  /// The value in a slot; nil if the transaction has none.
  @inline(__always)
  subscript(slot: Int) -> LogBytes? { unsafe slots[slot].bytes }
}

/// What has become of a request in the cache.
enum Handling {
  case none, hit, miss, pass, synth, error, pipe, hitMiss, hitPass

  var text: StaticString {
    switch self {
    case .none: "-"
    case .hit: "hit"
    case .miss: "miss"
    case .pass: "pass"
    case .synth: "synth"
    case .error: "error"
    case .pipe: "pipe"
    case .hitMiss: "hitmiss"
    case .hitPass: "hitpass"
    }
  }
}
