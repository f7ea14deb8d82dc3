/// A point in time or a span as the log writes it: seconds with six digits.
struct Moment {
  var microseconds: Int

  static func + (moment: Moment, span: Int) -> Moment {
    Moment(microseconds: moment.microseconds + span)
  }

  var text: String {
    let fraction = String(microseconds % 1_000_000)
    let zeros = String(repeating: "0", count: 6 - fraction.count)
    return "\(microseconds / 1_000_000).\(zeros)\(fraction)"
  }
}

/// The times of a transaction, each written with the spans since its start and since the time before.
struct Timeline {
  private let start: Moment
  private var last: Moment
  private(set) var now: Moment

  init(start: Moment) {
    self.start = start
    last = start
    now = start
  }

  /// The payload of a timestamp `span` microseconds after the one before.
  mutating func stamp(_ label: String, after span: Int) -> String {
    last = now
    now = now + span
    let sinceStart = Moment(microseconds: now.microseconds - start.microseconds)
    let sinceLast = Moment(microseconds: now.microseconds - last.microseconds)
    return "\(label): \(now.text) \(sinceStart.text) \(sinceLast.text)"
  }
}
