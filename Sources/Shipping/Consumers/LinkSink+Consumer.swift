extension LinkSink {
  /// A consumer that is there.
  struct Consumer {
    /// Since when, on the steady clock.
    let sinceNanoseconds: Int64
    var readiness: Readiness
    /// What it is still to get before the first entry.
    var greeting = Greeting.unknown
    /// Whether it has taken anything.
    var hasTaken = false
    /// Whether callers that may be waiting for it haven't been told.
    var isNew = true

    /// Whether nothing must be sent before the first entry, as far as that is known.
    var isGreeted: Bool {
      if case .left(let pieces) = greeting { pieces.isEmpty } else { true }
    }

    var isOpen: Bool {
      if case .open = readiness { true } else { false }
    }
  }

  /// Whether a consumer can be sent something.
  enum Readiness {
    /// There is no use in sending before this descriptor is writable.
    case open(Int32)
    /// Not at present; if that changes when a descriptor becomes writable, this one.
    case busy(writable: Int32?)
  }

  /// What a consumer gets first.
  enum Greeting {
    /// It isn't known yet what the log's records are.
    case unknown
    /// So much is left, each piece to be sent by itself.
    case left([ArraySlice<UInt8>])
  }

  /// The consumer, if one is there.
  var consumer: Consumer? {
    switch state {
    case .up(let consumer), .leaving(let consumer): consumer
    case .down, .coming, .closed, .refused: nil
    }
  }

  /// The descriptor of a consumer that can be sent something.
  var openDescriptor: Int32? {
    guard case .up(let consumer) = state, case .open(let descriptor) = consumer.readiness else { return nil }
    return descriptor
  }

  /// Changes what is known of the consumer, if one is there.
  func update(_ change: (inout Consumer) -> Void) {
    switch state {
    case .up(var consumer):
      change(&consumer)
      state = .up(consumer)
    case .leaving(var consumer):
      change(&consumer)
      state = .leaving(consumer)
    case .down, .coming, .closed, .refused: break
    }
  }
}
