import LogReading
public import VarnishLog

/// Follows a log with the library's own reader, across restarts of the log's writer, and checks every byte.
public struct TrafficReader: ~Copyable {
  /// The result of reading for a while.
  public struct Take {
    /// The numbers of the transactions that were read whole and unchanged.
    public var numbers: [UInt64] = []
    /// How often records were overwritten before they were read.
    public var losses = 0
    /// How often the reader attached to another log.
    public var attachments = 0
    /// Findings that no writer of ours can cause.
    public var problems: [String] = []

    /// Begins with nothing.
    public init() {}
  }

  private var follower: InstanceFollower
  private var ring: LiveRing?
  private let tags: TagTable
  /// The tags of transactions that were made from the records of older logs.
  private let madeTags = TagTable(.v73)

  /// Follows the log in a directory, whether it is there yet or not.
  public init(_ path: String, numbering: TagNumbering) {
    follower = InstanceFollower(path: path)
    tags = TagTable(numbering)
  }

  /// Whether it is attached to a log.
  public private(set) var isAttached = false

  /// Whether the log it is attached to is no longer the one in the directory.
  public mutating func isStale() -> Bool {
    follower.refresh()
    return follower.isStale
  }

  /// Reads all there is, of the present log and then of the log that has replaced it.
  ///
  /// - Parameter most: how many transactions to read at most; no limit if nil.
  public mutating func read(most: Int? = nil) -> Take {
    var take = Take()
    read(into: &take, most: most)
    follower.refresh()
    if follower.isStale || !isAttached {
      // The records that the old writer added last.
      read(into: &take, most: most)
      do throws(LogError) {
        // While there is no new log, the old one remains to be read.
        guard let next = try follower.attach(start: .head, stopsAtTail: false) else { return take }
        ring = consume next
        isAttached = true
        take.attachments += 1
        read(into: &take, most: most)
      } catch {
        take.problems.append("attaching: \(error)")
      }
    }
    return take
  }

  private mutating func read(into take: inout Take, most: Int?) {
    switch ring.take() {
    case .turning(var ring):
      read(&ring, into: &take, most)
      self.ring = .turning(ring)
    case .narrow(var ring):
      read(&ring, into: &take, most)
      self.ring = .narrow(ring)
    case .wide(var ring):
      read(&ring, into: &take, most)
      self.ring = .wide(ring)
    case .old20(var ring):
      read(&ring, into: &take, most)
      self.ring = .old20(ring)
    case .old21(var ring):
      read(&ring, into: &take, most)
      self.ring = .old21(ring)
    case .old30(var ring):
      read(&ring, into: &take, most)
      self.ring = .old30(ring)
    case nil: break
    }
  }

  private func read<Source: LiveSource & ~Copyable>(
    _ ring: inout Source, into take: inout Take, _ most: Int?
  ) {
    while take.numbers.count < most ?? .max {
      do throws(LogError) {
        switch try ring.next() {
        case .records(let run):
          let found = Source.makesTransactions ? checkMade(run) : check(run)
          guard ring.isIntact else {
            take.losses += 1
            continue
          }
          switch found {
          case .success(let number): take.numbers.append(number)
          case .failure(let problem): take.problems.append(problem.text)
          }
        case .overrun: take.losses += 1
        case .idle, .end, .gap: return
        case .damaged(let error):
          take.problems.append(error.description)
          return
        }
      } catch {
        take.problems.append(error.description)
        return
      }
    }
  }

  private struct Problem: Error {
    let text: String
  }

  /// Compares a transaction that was made from the records of a single-file log, which has only some of them,
  /// with what its number demands.
  private func checkMade<Layout>(_ run: RecordRun<Layout>) -> Result<UInt64, Problem> {
    let kept: Set<Tag> = [.reqMethod, .reqURL, .reqHeader, .respStatus]
    var cursor = run.makeCursor()
    var records: [(Tag, String)] = []
    while let record = cursor.next() {
      guard let tag = madeTags.tag(record.tag), kept.contains(tag) else { continue }
      records.append((tag, record.payload.droppingFinalNULs.text))
    }
    let shown = records.map { "\($0.0.name) \($0.1)" }.joined(separator: "; ")
    guard let url = records.first(where: { $0.0 == .reqURL })?.1, let number = Traffic.number(inURL: url),
      case let expected = Traffic.records(number).filter({ kept.contains($0.0) }),
      records.count == expected.count,
      zip(records, expected).allSatisfy({ $0.0 == $1.0 && $0.1 == $1.1 })
    else { return .failure(Problem(text: "no transaction of ours: \(shown)")) }
    return .success(number)
  }

  /// Compares a run of records with what its number demands.
  private func check<Layout>(_ run: RecordRun<Layout>) -> Result<UInt64, Problem> {
    var cursor = run.makeCursor()
    var records: [(Tag?, String)] = []
    var vxids: Set<UInt64> = []
    while let record = cursor.next() {
      records.append((tags.tag(record.tag), record.payload.droppingFinalNULs.text))
      vxids.insert(record.vxid)
      if record.side != .client { return .failure(Problem(text: "a record of side \(record.side)")) }
    }
    let shown = records.map { "\($0.0?.name ?? "?") \($0.1)" }.joined(separator: "; ")
    guard vxids.count == 1, cursor.rest.byteCount == 0,
      let url = records.first(where: { $0.0 == .reqURL })?.1, let number = Traffic.number(inURL: url)
    else { return .failure(Problem(text: "no transaction of ours: \(shown)")) }
    let expected = Traffic.records(number)
    guard records.count == expected.count,
      zip(records, expected).allSatisfy({ $0.0 == $1.0 && $0.1 == $1.1 })
    else { return .failure(Problem(text: "not as it was written: \(shown)")) }
    return .success(number)
  }
}
