import FuzzSupport
import Glibc
import Rendering
import Transactions
import VarnishLog

/// The settings and the log of an input: eight bytes that choose the settings, then the log's bytes.
///
/// Every value of every byte has a meaning, so that no mutation is wasted:
///
/// ```
/// byte 0   medium: 0, 1 file   2 ring   3 index (the two lowest bits), where the target doesn't say which it is;
///          then 1 bit each, for targets that read copies as well: it is one; what is damaged is searched
///      1   format, see FormatShelf
///      2   release whose rules hold; the highest bit makes them strict
///      3   grouping (2 bits), candidate rule (2 bits), client, backend, ESI, kept tags (1 bit each)
///      4   open transactions (2 bits), time-out (2 bits), how fast the clock goes (2 bits)
///      5   details of the medium, see the trials
///    6-7   details of the medium
///      8   a .vsl file; or a log segment; or an index file; or an archive
/// ```
struct Scenario {
  enum Medium {
    case file
    case ring
    case index
    case memory
    case archive
    case oldFile
  }

  static let headByteCount = 8
  /// The target, which decides what its inputs are.
  private static let target = getenv("FUZZ_MEDIUM").map { String(cString: $0) } ?? "log"

  let medium: Medium
  /// Whether the log is a copy, which isn't followed.
  let isCopied: Bool
  /// Whether damaged parts are searched for records.
  let salvages: Bool
  /// Whether the parts that lead to the log are corrected; nil if the input decides.
  let isMended: Bool?
  let rules: NCSARules
  let formatIndex: Int
  /// The bytes 5 to 7.
  let details: (UInt8, UInt8, UInt8)
  /// How far the clock advances from one piece to the next.
  let stepNanoseconds: Int64
  /// The log, the segment or the index.
  let payload: ArraySlice<UInt8>
  private let groupingByte: UInt8
  private let limitsByte: UInt8

  /// Parses an input; nil if there are too few bytes.
  init?(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard bytes.count >= Self.headByteCount else { return nil }
    medium =
      switch Self.target {
      case "memory", "allocations": .memory
      case "ring": bytes[0] & 1 == 0 ? .ring : .memory
      case "index": .index
      case "tar": .archive
      case "old": .oldFile
      default: [.file, .file, .ring, .index][Int(bytes[0] & 3)]
      }
    let readsCopies = Self.target != "log" && Self.target != "memory"
    isCopied = readsCopies && bytes[0] & 4 != 0
    salvages = readsCopies && bytes[0] & 8 != 0
    isMended = ["ring": true, "allocations": false][Self.target]
    formatIndex = Int(bytes[1])
    rules = NCSARules(
      VarnishVersion(choice: bytes[2] & 0x7F), isStrict: bytes[2] & 0x80 != 0)
    groupingByte = bytes[3]
    limitsByte = bytes[4]
    stepNanoseconds = [0, 0, 1_000_000_000, 50_000_000_000][Int(bytes[4] >> 4 & 3)]
    details = (bytes[5], bytes[6], bytes[7])
    payload = Array(bytes)[Self.headByteCount...]
  }

  /// How transactions are grouped, for a renderer that needs certain records.
  func groupingOptions(keeping wish: PickWish) -> GroupingOptions {
    let rule: CandidateRule =
      switch groupingByte >> 2 & 3 {
      case 0: rules.candidateRule
      case 1: .everything
      case 2: .bySide
      default: .bySideAndLevel
      }
    var options = GroupingOptions(
      grouping: [.vxid, .request, .session, .vxid][Int(groupingByte & 3)], candidateRule: rule,
      wantsClient: groupingByte & 0x10 != 0, wantsBackend: groupingByte & 0x20 != 0,
      wantsESI: groupingByte & 0x40 != 0)
    options.openTransactionsMax = [1000, 1, 3, 60][Int(limitsByte & 3)]
    options.timeoutNanoseconds = [120, 0, 1, 3600][Int(limitsByte >> 2 & 3)] * 1_000_000_000
    // All records are kept: then the grouper's own records are made as well.
    if groupingByte & 0x80 == 0 { options.kept = wish }
    return options
  }
}
