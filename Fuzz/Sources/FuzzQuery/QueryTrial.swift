import FuzzSupport
import LogQuery
import Transactions
import VarnishLog

/// Compiles queries and applies them to the specimens.
///
/// Two bytes choose the settings; then come the queries, with a NUL byte between any two. Both bytes can be
/// letters, so that inputs can be read:
///
/// ```
/// byte 0   release whose language it is
///      1   strict, caseless (1 bit each), which log (2 bits), by session instead of request (1 bit)
///      2   queries
/// ```
struct QueryTrial {
  private static let headByteCount = 2

  private let version: VarnishVersion
  private let isStrict: Bool
  private let isCaseless: Bool
  private let log: UInt8
  private let grouping: Grouping
  private let expressions: [[UInt8]]

  /// Parses an input; nil if there are too few bytes.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= Self.headByteCount else { return nil }
    version = VarnishVersion(choice: bytes[0])
    isStrict = bytes[1] & 1 != 0
    isCaseless = bytes[1] & 2 != 0
    log = bytes[1] >> 2 & 3
    grouping = bytes[1] & 16 == 0 ? .request : .session
    expressions = bytes[Self.headByteCount...].split(separator: 0, omittingEmptySubsequences: false)
      .map(Array.init)
  }

  func run() {
    switch log {
    case 0: run(SpecimenLogs.shared.v40)
    case 1: run(SpecimenLogs.shared.v41)
    case 2: run(SpecimenLogs.shared.v73)
    default: run(SpecimenLogs.shared.v90)
    }
  }

  private func compile(_ expressions: [[UInt8]], _ tags: TagTable) throws(QueryError) -> Query {
    try Query(
      bytes: expressions, caseless: isCaseless, version: version, isStrict: isStrict, tags: tags)
  }

  private func run<Layout: RecordLayout>(_ log: SpecimenLog<Layout>) {
    do throws(QueryError) {
      var query = try compile(expressions, log.tags)
      let verdicts = verdicts(&query, log, keeping: .all)
      require(verdicts == self.verdicts(&query, log, keeping: .all), "another answer the second time")
      examineAgain(verdicts, query.wish, log)
      examineNegation(verdicts, log)
    } catch {
      examine(error)
      do throws(QueryError) {
        _ = try compile(expressions, log.tags)
        violated("refused only the first time: \(error)")
      } catch let second {
        require(second == error, "another error the second time: \(error), \(second)")
      }
    }
  }

  /// For each group, whether a query selects it.
  private func verdicts<Layout: RecordLayout>(
    _ query: inout Query, _ log: SpecimenLog<Layout>, keeping kept: PickWish
  ) -> [Bool] {
    var verdicts: [Bool] = []
    log.forEachGroup(grouping, keeping: kept) { verdicts.append(query.matches($0)) }
    return verdicts
  }

  /// Checks that a query, compiled again and given only the records that it wants, selects the same.
  private func examineAgain<Layout: RecordLayout>(
    _ verdicts: [Bool], _ wish: PickWish, _ log: SpecimenLog<Layout>
  ) {
    do throws(QueryError) {
      var query = try compile(expressions, log.tags)
      require(query.wish == wish, "another wish the second time")
      require(
        verdicts == self.verdicts(&query, log, keeping: wish), "records are missing from the wanted ones")
    } catch {
      violated("refused only the second time: \(error)")
    }
  }

  /// Checks that a query in parentheses selects the same, and behind `not` the opposite.
  private func examineNegation<Layout: RecordLayout>(
    _ verdicts: [Bool], _ log: SpecimenLog<Layout>
  ) {
    // Each line is a query of its own, and a comment would swallow the closing parenthesis.
    guard let text = expressions.first, expressions.count == 1,
      !text.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "#") })
    else { return }
    do throws(QueryError) {
      var same = try compile([Array("((".utf8) + text + Array("))".utf8)], log.tags)
      require(self.verdicts(&same, log, keeping: .all) == verdicts, "other answers in parentheses")
      var other = try compile([Array("not (".utf8) + text + Array(")".utf8)], log.tags)
      require(self.verdicts(&other, log, keeping: .all) == verdicts.map { !$0 }, "not isn't the opposite")
    } catch {
      violated("refused in parentheses: \(error)")
    }
  }

  /// Checks that the place of an error lies within the text, and that every line of the message shows that
  /// text.
  private func examine(_ error: QueryError) {
    let joined = Array(expressions.joined(separator: [UInt8(ascii: "\n")]))
    require(error.query == joined || error.query == expressions.last, "an error about another query")
    require(
      error.range.lowerBound >= 0 && error.range.upperBound <= error.query.count,
      "a fault at \(error.range) of \(error.query.count) bytes")
    if let offset = error.offset {
      require((0...error.range.count).contains(offset), "a fault at \(offset) within \(error.range)")
    }
    guard error.reason != .noExpression else {
      require(error.text.isEmpty, "a text about nothing")
      return
    }
    let marks = error.text.dropLast(2).suffix(error.query.count)
    require(
      error.text.suffix(2).elementsEqual([0x0A, 0x0A]) && marks.allSatisfy { "-#^".utf8.contains($0) },
      "no marks: \(error)")
    require(marks.count { $0 != UInt8(ascii: "-") } == error.range.count, "other marks than \(error.range)")
  }
}
