import LogQuery
import TestSupport
import Testing
import Transactions
import VarnishLog

/// Queries and records that neither people nor servers write.
struct HostileTests {
  private static let pieces = [
    "ReqURL", "VCL_Log", "*", "Re*", "a", "vxid", "and", "or", "not", "eq", "ne", "==", "!=", "<", ">=",
    "~", "!~", "(", ")", "[", "]", "{", "}", ":", ",", "\"", "'", "\\", "\n", "#", "1", "0x", "1.5", "-",
    "99999999999999999999", "\"(a+)+$\"", "\"(*UTF).\"", "\"\"", "\u{e9}", " ", " ", " ",
  ]

  /// Most of them are refused, and none may cause any other harm.
  @Test func `any query is refused or answered`() throws {
    var random = SeededGenerator(seed: 1)
    let log = SampleLog(texts: Self.payloads(&random))
    var answered = 0
    for _ in 0..<4000 {
      let count = Int.random(in: 1...9, using: &random)
      let query = (0..<count).map { _ in Self.pieces.randomElement(using: &random) ?? "" }.joined()
      do throws(QueryError) {
        let matches = try log.matches(query, caseless: count % 2 == 0)
        #expect(matches == matches.sorted(), "\(random) \(query)")
        answered += 1
      } catch {
        #expect(error.range.upperBound <= error.query.count, "\(random) \(query)")
      }
    }
    #expect(answered > 40)
  }

  @Test(arguments: [
    "VCL_Log", "VCL_Log[1]", "VCL_Log[7] eq x", "VCL_Log:a", "VCL_Log:''", "VCL_Log == 1",
    "VCL_Log[1] > 1.5", #"VCL_Log ~ "(*UTF)\\x{e9}""#, #"VCL_Log ~ "^(.|\n)*$""#, "VCL_Log eq ''",
  ])
  func `any record is looked at`(_ query: String) throws {
    var random = SeededGenerator(seed: 2)
    let payloads = Self.payloads(&random)
    for version in [(4, 0), (4, 1), (6, 6), (7, 1), (8, 0)] {
      let version = VarnishVersion(version.0, version.1)
      for isCaseless in [false, true] {
        // Each record passes or it doesn't, independent of what else is in the log.
        let log = SampleLog(texts: payloads)
        let matches = Set(try log.matches(query, caseless: isCaseless, version: version))
        let others = Set(try log.matches("not \(query)", caseless: isCaseless, version: version))
        #expect(matches.isDisjoint(with: others))
        #expect(matches.union(others).count == payloads.count)
      }
    }
  }

  private static func payloads(_ random: inout SeededGenerator) -> [[UInt8]] {
    let bytes: [UInt8] = Array("aA:\" \t\n.-+0159xe".utf8) + [0, 0x80, 0xC3, 0xA9, 0xFF]
    var payloads: [[UInt8]] = (0..<60).map { _ in
      (0..<Int.random(in: 0...12, using: &random)).map { _ in
        bytes[Int.random(in: bytes.indices, using: &random)]
      }
    }
    payloads.append([UInt8](repeating: UInt8(ascii: "9"), count: 65_000))
    payloads.append([UInt8](repeating: UInt8(ascii: " "), count: 65_000))
    return payloads
  }
}
