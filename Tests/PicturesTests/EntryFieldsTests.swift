import Shipping
import TestSupport
import Testing

@testable import Pictures

struct EntryFieldsTests {
  private static func fields(_ line: String, _ count: Int) -> [String] {
    Array(line.utf8).withUnsafeBytes { bytes in
      var fields = EntryFields(bytes)
      let last = (0..<count).map { _ in String(decoding: fields.takeLast(), as: UTF8.self) }
      return last + [String(decoding: fields.key, as: UTF8.self)]
    }
  }

  @Test func `fields are taken from the end, and the key may have any`() {
    #expect(Self.fields("a\tb\tc\n", 1) == ["c", "a\tb"])
    #expect(Self.fields("a\tb\tc\n", 2) == ["c", "b", "a"])
    #expect(Self.fields("\t\t\n", 2) == ["", "", ""])
    #expect(Self.fields("alone", 2) == ["alone", "", ""])
    #expect(Self.fields("", 1) == ["", ""])
  }

  @Test(
    arguments: [
      ("0", 0), ("1", 1_000_000), ("0.000123", 123), ("1.5", 1_500_000), ("12.3456789", 12_345_678),
      ("1700000000.123456", 1_700_000_000_123_456), ("5.", 5_000_000),
    ] as [(String, UInt64)]) func `seconds are read to the microsecond`(text: String, expected: UInt64)
  {
    #expect(Array(text.utf8).withUnsafeBytes { LoggedNumber.microseconds($0) } == expected)
  }

  @Test(arguments: ["", "-", "1e5", "-1", "nan", "1.2.3", "99999999999999999999999", " 1", "0x10"])
  func `what is no number is none`(text: String) {
    #expect(Array(text.utf8).withUnsafeBytes { LoggedNumber.microseconds($0) } == nil)
    #expect(Array(text.utf8).withUnsafeBytes { LoggedNumber.whole($0) } == nil)
  }
}
