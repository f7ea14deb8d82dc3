import LogQuery
import Platform
import Rendering
import Transactions
import VarnishLog

/// A copy of what a route needs to judge transactions and render their lines, for use on another thread.
struct RouteTwin: ~Copyable {
  private let maker: Box<LineMaker>
  private var query: Query?
  /// The index of the captures that its lines are made of, among those of its thread.
  private var captures = 0

  /// The longest line that is rendered here, in bytes; longer ones are left to the route itself.
  private static let lineByteCountMax = 16 << 20
  /// Room for a usual line.
  private static let lineByteCountUsual = 1024

  init(_ maker: consuming Box<LineMaker>, _ query: consuming Query?) {
    maker.value.composer.forgetsLengths = true
    self.maker = maker
    self.query = query
  }

  /// Finds the captures that its lines are made of, among those that the twins of a thread share.
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
  /// Makes a copy of what this route needs to judge and render, for another thread.
  ///
  /// - Precondition: `canBeDoneElsewhere`.
  func makeTwin(_ input: InputConfiguration, _ numbering: TagNumbering) throws(RunError) -> RouteTwin {
    let rules = input.rules(for: numbering)
    switch try configuration.shown(rules, numbering) {
    case .lines(let maker): return RouteTwin(maker, try configuration.query(rules, numbering))
    default: preconditionFailure("what isn't lines can't be done elsewhere")
    }
  }

  /// Whether what the route takes of a transaction depends on nothing that it took before, so that another
  /// thread can render it.
  var canBeDoneElsewhere: Bool {
    guard case .lines = configuration.shown else { return false }
    return !takesSingles && configuration.groupsMax == nil && configuration.rateLimit == nil
  }
}
