import Compression
import TestSupport

/// The course of a simulated run: its settings, and a list of steps of which each can be left out.
struct Scenario {
  /// The kind of an output.
  enum Kind: String, CaseIterable {
    case plain, gzip, zstd, rotated, rotatedGzip, timed, spooled

    var isSeries: Bool { self == .rotated || self == .rotatedGzip || self == .timed }
    var compression: CompressionFormat? {
      switch self {
      case .gzip, .rotatedGzip: .gzip
      case .zstd: .zstd
      case .plain, .rotated, .timed, .spooled: nil
      }
    }
  }

  /// An output.
  struct Output {
    var kind: Kind
    var groupsRequests: Bool
  }

  /// The event at which a run is killed, counted from when the kill is planned.
  enum Kill: Equatable {
    /// Before the call after this many system calls.
    case beforeCall(Int)
    /// After the last of this many system calls.
    case afterCall(Int)
    /// After this many system calls, within the next one: if it writes, at most `byteCount` bytes get
    /// written.
    case withinCall(Int, byteCount: Int)
    /// At this many fault points.
    case atPoint(Int)
    /// After this many words of the checkpoint.
    case atWord(Int)
  }

  enum Step: Equatable {
    /// Logs requests, each in one piece.
    case write(Int)
    /// Logs a request with a fetch and an ESI fragment.
    case group
    /// Begins a request; with a fetch, this goes on after the end of the request.
    case open(fetches: Bool)
    /// Ends one of the open requests.
    case end(Int)
    /// Logs more than the log holds.
    case flood
    /// Restarts the server that writes the log.
    case restartWriter
    /// Has the run read the log this many times.
    case read(Int)
    /// Runs one of the outputs' loops for this many steps.
    case loop(Int, steps: Int)
    /// Runs all loops until they sleep.
    case loops
    /// Advances the time, in milliseconds.
    case pass(Int)
    /// Fills the disk except for this many bytes.
    case fillDisk(leaving: Int)
    case freeDisk
    /// Another process renames an output's file; with `tells`, it has the run open the file again.
    case rename(Int, tells: Bool)
    /// Another process copies an output's file, and truncates it.
    case truncate(Int)
    /// Requests that the run flush its open groups.
    case flush
    /// Plans to kill the run.
    case kill(Kill)
    /// Kills the run at once.
    case killNow
    /// Ends the run properly, in a hurry or with all the time it needs.
    case stop(isHurried: Bool)
    case start
  }

  var seed: UInt64
  var outputs: [Output]
  var logByteCount = 1 << 20
  var spoolByteCount = 64 << 20
  var timeoutSeconds = 3.0
  var openTransactionsMax = 1000
  /// How often files are synchronised, in milliseconds; 0 means after each batch, nil never.
  var syncMilliseconds: Int?
  var steps: [Step] = []
}

// MARK: - From a seed

extension Scenario {
  init(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    self.seed = random.seed
    let count = random.pick(1, 1, 2, 2, 3)
    outputs = (0..<count).map { _ in
      Output(
        kind: Kind.allCases.randomElement(using: &random) ?? .plain,
        groupsRequests: Int.random(in: 0..<3, using: &random) == 0)
    }
    let mayOverrun = Int.random(in: 0..<4, using: &random) == 0
    if mayOverrun { logByteCount = 64 << 10 }
    timeoutSeconds = random.pick(0.5, 3, 120)
    openTransactionsMax = random.pick(2, 5, 1000, 1000)
    syncMilliseconds = random.pick(nil, nil, 0, 200)
    let stepCount = Int.random(in: 5...60, using: &random)
    while steps.count < stepCount {
      if Int.random(in: 0..<12, using: &random) == 0 {
        steps += Self.forcedEnd(&random)
      } else {
        steps.append(Self.step(mayOverrun, &random))
      }
    }
    if Int.random(in: 0..<6, using: &random) == 0 {
      spoolByteCount = random.pick(2 << 10, 8 << 10)
      steps.insert(contentsOf: Self.drop(&random), at: .random(in: 0...steps.count, using: &random))
    }
  }

  /// Logs more at once than a small spool has room for, and then takes another step.
  private static func drop(_ random: inout SeededGenerator) -> [Step] {
    [
      .start, .read(2), .loops, .write(Int.random(in: 30...200, using: &random)), .read(1), .loops, .write(3),
      .read(1), .loop(Int.random(in: 0..<4, using: &random), steps: 3),
      .random(using: &random) ? .killNow : .kill(kill(&random)), .read(1), .loops,
    ]
  }

  /// A run ends with open requests, and the next one closes these by force, at the place that the first run
  /// had reached or behind it.
  private static func forcedEnd(_ random: inout SeededGenerator) -> [Step] {
    var steps: [Step] = [.start, .read(1), .open(fetches: .random(using: &random)), .write(2)]
    for _ in 0..<Int.random(in: 1...3, using: &random) { steps += [.read(1), .loops] }
    steps.append(.random(using: &random) ? .killNow : .kill(kill(&random)))
    steps += [.start, .read(2), .random(using: &random) ? .pass(4000) : .flush, .read(2)]
    if .random(using: &random) { steps.append(.loop(Int.random(in: 0..<4, using: &random), steps: 3)) }
    if .random(using: &random) { steps.append(.killNow) }
    return steps
  }

  private static func step(_ mayOverrun: Bool, _ random: inout SeededGenerator) -> Step {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<17: return .write(Int.random(in: 1...12, using: &random))
    case 17..<22: return .group
    case 22..<29: return .open(fetches: .random(using: &random))
    case 29..<33: return .end(Int.random(in: 0..<8, using: &random))
    case 33..<34: return mayOverrun ? .flood : .write(30)
    case 34..<35: return .restartWriter
    case 35..<52: return .read(Int.random(in: 1...4, using: &random))
    case 52..<62:
      return .loop(Int.random(in: 0..<4, using: &random), steps: Int.random(in: 1...4, using: &random))
    case 62..<66: return .loops
    case 66..<71: return .pass(random.pick(1, 20, 300, 1100, 4000))
    case 71..<72: return .fillDisk(leaving: random.pick(0, 0, 10, 150, 4000))
    case 72..<74: return .freeDisk
    case 74..<75: return .rename(Int.random(in: 0..<3, using: &random), tells: .random(using: &random))
    case 75..<76: return .truncate(Int.random(in: 0..<3, using: &random))
    case 76..<77: return .flush
    case 77..<86: return .kill(kill(&random))
    case 86..<87: return .killNow
    case 87..<89: return .stop(isHurried: .random(using: &random))
    default: return .start
    }
  }

  private static func kill(_ random: inout SeededGenerator) -> Kill {
    func below(_ limit: Int) -> Int { .random(in: 0..<limit, using: &random) }
    let count = below(random.pick(3, 10, 40))
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return .beforeCall(count)
    case 1: return .afterCall(count)
    case 2: return .withinCall(count, byteCount: Int.random(in: 1...400, using: &random))
    case 3: return .atWord(below(random.pick(10, 50, 200)))
    default: return .atPoint(below(random.pick(3, 6, 20)))
    }
  }
}

extension SeededGenerator {
  /// One of some values.
  fileprivate mutating func pick<Value>(_ first: Value, _ others: Value...) -> Value {
    let index = Int.random(in: 0...others.count, using: &self)
    return index == 0 ? first : others[index - 1]
  }
}

extension Scenario: CustomStringConvertible {
  var description: String {
    var text = "seed \(seed), log of \(logByteCount >> 10)K, -T \(timeoutSeconds), -L \(openTransactionsMax)"
    text += ", spool of \(spoolByteCount >> 10)K, sync \(syncMilliseconds.map(String.init) ?? "-")"
    for output in outputs {
      text += "\n  output \(output.kind)\(output.groupsRequests ? ", by request" : "")"
    }
    for step in steps { text += "\n  .\(step)," }
    return text.replacing("PipelineTests.Scenario.Kill.", with: ".")
  }
}
