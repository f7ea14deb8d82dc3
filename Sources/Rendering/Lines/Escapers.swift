/// The escapers of a format, one for each placement of a value.
///
/// The caller owns the memory and calls `deallocate`.
@safe struct Escapers {
  // Invariant: there is an escaper for each placement, by its number.

  private let escapers: UnsafeMutableBufferPointer<Escaper>

  init(_ escaping: Escaping) {
    unsafe escapers = .allocate(capacity: ValuePlacement.allCases.count)
    for placement in ValuePlacement.allCases {
      unsafe escapers.initializeElement(
        at: Int(placement.rawValue), to: Escaper(Self.escaping(escaping, for: placement)))
    }
  }

  func deallocate() {
    for placement in ValuePlacement.allCases { self[placement].deallocate() }
    unsafe escapers.deallocate()
  }

  @inline(__always)
  subscript(placement: ValuePlacement) -> Escaper { unsafe escapers[Int(placement.rawValue)] }

  private static func escaping(_ escaping: Escaping, for placement: ValuePlacement) -> Escaping {
    let isColumns = escaping == .columns(.quoted)
    return switch placement {
    case .text, .string, .number, .httpProtocol: escaping
    case .word: isColumns ? .columns(.word) : escaping
    case .column: isColumns ? .columns(.bare) : escaping
    case .name: isColumns ? .columns(.name) : escaping == .w3c(isName: false) ? .w3c(isName: true) : escaping
    }
  }
}
