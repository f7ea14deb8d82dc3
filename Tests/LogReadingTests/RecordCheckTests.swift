@testable import LogReading
import Testing
import VarnishLog

/// Which bytes are taken for a record that a server wrote.
struct RecordCheckTests {
  /// A record of a client's transaction whose payload is a text and its NUL, up to the next whole word.
  private static func record(_ tag: VarnishLog.Tag, _ text: [UInt8]) throws -> [UInt8] {
    let number = try #require(TagTable(.v73).number(of: tag))
    let words: [UInt32] = [UInt32(number) << 24 | 1 << 16 | UInt32(text.count + 1), 1001, 1 << 30]
    return words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
      + text + Array(repeating: 0, count: 4 - text.count % 4)
  }

  private static func isWhole(_ bytes: [UInt8]) -> Bool {
    let check = RecordCheck<WideRecords>(.v73, takesUnknown: true)
    return bytes.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return false }
      return check.isWhole(start) && check.isBatch(start, byteCount: bytes.count)
    }
  }

  @Test func `a text is whole up to its only NUL`() throws {
    #expect(Self.isWhole(try Self.record(.reqHeader, Array("X-First: yes".utf8))))
    #expect(!Self.isWhole(try Self.record(.reqHeader, Array("X-First: \0yes".utf8))))
    #expect(
      !Self.isWhole(try Self.record(.reqHeader, Array("X-First: yes".utf8)).dropLast(4) + [1, 0, 0, 0]))
  }

  @Test(arguments: ["EEE", "WWW"])
  func `a text in which the ring ends, or its turn, is of two records`(mark: String) throws {
    for place in 0..<4 {
      let text =
        Array("12345678".utf8) + Array("123".utf8.prefix(place)) + Array(mark.utf8) + [0xFE]
        + Array("more".utf8)
      // Marks lie only at whole words; at other places the same bytes are text from a client.
      #expect(Self.isWhole(try Self.record(.reqHeader, text)) == (place != 0))
    }
  }
}
