import Spool

/// Says what is wrong with something that must not stop the output, once until it works again or something
/// else is wrong.
struct Complaint {
  private var said: (operation: String, code: Int32)?

  /// Whether it didn't work when it was last tried.
  var isOpen: Bool { said != nil }

  /// Says it, unless it has been said.
  mutating func say(_ error: SinkError, _ consequence: String, _ warn: (String) -> Void) {
    if said?.operation != error.operation || said?.code != error.code { warn("\(error); \(consequence)") }
    said = (error.operation, error.code)
  }

  /// Notes that it works.
  mutating func end() { said = nil }
}
