extension LinkSink {
  /// A consumer that is there.
  struct Consumer {
    /// When it was connected or started, on the steady clock.
    let sinceNanoseconds: Int64
    var readiness: Readiness
    /// What the consumer is still to get before the first entry.
    var greeting = Greeting.unknown
    /// Whether the consumer has taken anything.
    var hasTaken = false
    /// Whether callers that may be waiting for a consumer haven't been told of this one.
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
    /// There is a consumer; sending is of no use before this descriptor is writable.
    case open(Int32)
    /// Nothing can be sent at present; the descriptor, if any, becomes writable when that changes.
    case busy(writable: Int32?)
  }

  /// What a consumer gets before entries.
  enum Greeting {
    /// The header isn't known yet, as it isn't known what the log's records are.
    case unknown
    /// These pieces are left, each to be sent by itself.
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

  /// Changes the state of the consumer, if there is one.
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
