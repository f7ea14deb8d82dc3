import LogQuery
import Platform
import Rendering
import Transactions
import VarnishLog

/// What a route needs to judge transactions and to render lines, once more for another thread.
struct RouteTwin: ~Copyable {
  private let maker: Box<LineMaker>
  private var query: Query?
  /// Which of its thread's captures its lines are made of.
  private var captures = 0

  /// Lines that are longer are left to the route itself.
  private static let lineByteCountMax = 16 << 20
  /// Room for a usual line.
  private static let lineByteCountUsual = 1024

  init(_ maker: consuming Box<LineMaker>, _ query: consuming Query?) {
    maker.value.composer.forgetsLengths = true
    self.maker = maker
    self.query = query
  }

  /// Finds the captures that its lines are made of, among those that its thread's twins share.
  mutating func join(_ plans: inout [CapturePlan]) { captures = maker.value.composer.join(&plans) }

  /// Judges a transaction, and renders its line if it gives one.
  ///
  /// - Returns: nil if the line is so long that it is left to the route.
  mutating func judge<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>, _ captures: inout FixedList<Captures>, _ text: inout ChunkText
  ) -> Verdict? {
    var verdict = Verdict()
    guard query?.matches(transaction) ?? true else { return verdict }
    var wanted = Self.lineByteCountUsual
    while wanted <= Self.lineByteCountMax {
      let room = unsafe text.room(wanted)
      var line = unsafe LineWriter(room)
      let isLine = maker.value.render(transaction, &captures[self.captures], to: &line)
      if line.overflowed {
        wanted = room.count * 2
        continue
      }
      verdict.kind = isLine ? .line : .nothing
      verdict.hasCutValue = maker.value.composer.lastLineHasCutValue
      verdict.hasLongerValue = maker.value.composer.hasSeenLongerValue
      if isLine {
        verdict.byteCount = UInt32(line.count)
        text.keep(line.count)
      }
      return verdict
    }
    return nil
  }
}

extension Route {
  /// What it takes to do this route's work on another thread.
  ///
  /// - Precondition: it can be done elsewhere.
  func makeTwin(_ input: InputConfiguration, _ numbering: TagNumbering) throws(RunError) -> RouteTwin {
    let rules = input.rules(for: numbering)
    switch try configuration.shown(rules, numbering) {
    case .lines(let maker): return RouteTwin(maker, try configuration.query(rules, numbering))
    default: preconditionFailure("what isn't lines can't be done elsewhere")
    }
  }

  /// Whether what it takes of a transaction depends on nothing that was taken before.
  var canBeDoneElsewhere: Bool {
    guard case .lines = configuration.shown else { return false }
    return !takesSingles && configuration.groupsMax == nil && configuration.rateLimit == nil
  }
}
