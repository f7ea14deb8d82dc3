import Shipping
import Spool
import Transactions

/// Where a route's entries go.
extension Route {
  /// The output; nil as long as it can't be opened.
  var output: Output? {
    switch outlet {
    case .some(let outlet): outlet.output
    case nil: nil
    }
  }

  /// The output that waits to be opened; nil if it is open.
  var late: LateOutput? {
    switch outlet {
    case .some(let outlet): outlet.late
    case nil: nil
    }
  }

  /// Whether entries go straight into the spool of the output.
  var isSettled: Bool {
    switch outlet {
    case .some(let outlet): outlet.isOpen
    case nil: false
    }
  }

  /// Stops waiting for room in the spools.
  func endWaiting() {
    switch outlet {
    case .some(let outlet): outlet.endWaiting()
    case nil: break
    }
  }

  /// The usage of the spool that takes the route's entries.
  var usage: SpoolUsage? { late?.spool.usage ?? output?.usage }

  /// How many bytes of waiting entries are moved at a time, which takes a fraction of a millisecond.
  private static let movedByteCount = 4 << 20

  /// Looks whether an output that had to wait is open by now, and moves some of the waiting entries into its
  /// spool.
  mutating func settle() {
    switch outlet.take() {
    case .late(let late)?:
      guard let output = late.output else {
        outlet = .late(late)
        return
      }
      outlet = late.needsTransfer ? .catchingUp(Transfer(from: late.spool, to: output)) : .open(output)
    case .catchingUp(var transfer)?:
      writer.publish()
      if transfer.move(byteCountMax: Self.movedByteCount) {
        let output = transfer.output
        writer = transfer.finish()
        outlet = .open(output)
      } else {
        outlet = .catchingUp(transfer)
      }
    case .open(let output)?: outlet = .open(output)
    case nil: break
    }
  }

  /// Ends the route, and returns its outlet.
  mutating func retire() -> Outlet? {
    finish()
    return outlet.take()
  }
}
