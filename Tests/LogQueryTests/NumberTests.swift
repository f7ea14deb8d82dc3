import TestSupport
import Testing
import VarnishLog

/// How each group of releases reads a text as a number.
struct NumberTests {
  struct Reading: Sendable {
    let text: String
    /// As an integer by the rules of 4.1 to 6.5, 6.6, 7.0 to 7.5, and later; nil if it is none.
    let integers: [Int64?]
  }

  private static let versions: [[VarnishVersion]] = [
    [VarnishVersion(4, 1), VarnishVersion(5, 2), VarnishVersion(6, 0), VarnishVersion(6, 5)],
    [VarnishVersion(6, 6)],
    [VarnishVersion(7, 0), VarnishVersion(7, 1), VarnishVersion(7, 3), VarnishVersion(7, 5)],
    [VarnishVersion(7, 6), VarnishVersion(8, 0), VarnishVersion(9, 0)],
  ]

  static let readings: [Reading] = [
    Reading(text: "12", integers: [12, 12, 12, 12]),
    Reading(text: "  12", integers: [12, 12, 12, 12]),
    Reading(text: "12 ", integers: [12, 12, 12, nil]),
    Reading(text: "12abc", integers: [nil, nil, 12, nil]),
    Reading(text: "12 abc", integers: [12, 12, 12, nil]),
    Reading(text: "12,5", integers: [nil, nil, 12, nil]),
    Reading(text: "-5", integers: [-5, -5, -5, -5]),
    Reading(text: "+5", integers: [5, 5, nil, 5]),
    Reading(text: "0x10", integers: [16, 16, 0, 16]),
    Reading(text: "0x", integers: [nil, nil, 0, nil]),
    Reading(text: "010", integers: [8, 8, 10, 8]),
    Reading(text: "1e3", integers: [nil, 1000, 1, 1000]),
    Reading(text: "1.5", integers: [nil, 1, 1, 1]),
    Reading(text: ".5", integers: [nil, 0, 0, 0]),
    Reading(text: "5.", integers: [nil, 5, 5, 5]),
    Reading(text: "1.2.3", integers: [nil, nil, 1, nil]),
    Reading(text: "-1.5", integers: [nil, -1, -1, -1]),
    Reading(text: "   ", integers: [0, 0, nil, nil]),
    Reading(text: "abc", integers: [nil, nil, nil, nil]),
    Reading(text: "", integers: [nil, nil, nil, nil]),
    Reading(text: "-", integers: [nil, nil, nil, nil]),
    Reading(text: "0", integers: [0, 0, 0, 0]),
    Reading(
      text: "123456789012345",
      integers: [123_456_789_012_345, 123_456_789_012_345, 123_456_789_012_345, 123_456_789_012_345]),
    Reading(
      text: "1234567890123456",
      integers: [1_234_567_890_123_456, 1_234_567_890_123_456, nil, 1_234_567_890_123_456]),
    Reading(text: "9999999999999.5", integers: [nil, 9_999_999_999_999, nil, 9_999_999_999_999]),
    Reading(text: "99999999999999999999", integers: [.max, .max, nil, nil]),
    Reading(text: "\t12", integers: [12, 12, 12, 12]),
    Reading(text: "\n12", integers: [12, 12, nil, 12]),
    Reading(text: "1 .5", integers: [1, 1, 1, nil]),
  ]

  @Test(arguments: readings) func `integers`(_ reading: Reading) throws {
    let log = SampleLog(texts: [Array(reading.text.utf8)])
    for (versions, integer) in zip(Self.versions, reading.integers) {
      for version in versions {
        if let integer {
          #expect(try log.matches("VCL_Log == \(integer)", version: version) == [2], "\(version)")
          #expect(try log.matches("VCL_Log != \(integer)", version: version) == [], "\(version)")
        } else {
          let anything = "VCL_Log == 7 or VCL_Log != 7"
          #expect(try log.matches(anything, version: version) == [], "\(version)")
        }
      }
    }
  }

  @Test(.needs(.reference), arguments: readings)
  func `the table is right about 7.1`(_ reading: Reading) throws {
    let reference = try Reference(SampleLog(texts: [Array(reading.text.utf8)]))
    let query = reading.integers[2].map { "VCL_Log == \($0)" } ?? "not (VCL_Log == 7 or VCL_Log != 7)"
    #expect(try reference.run(["-q", query]).text == "2\n")
  }

  /// Text, operand, and whether they are equal by the rules of each group of releases.
  static let decimals: [(String, String, [Bool])] = [
    ("1.5", "1.5", [true, true, true, true]),
    ("1.5", "1.50", [true, true, true, true]),
    (".5", "0.5", [true, true, true, true]),
    ("12", "12.0", [true, true, true, true]),
    ("12abc", "12.0", [false, false, true, false]),
    ("12 abc", "12.0", [true, true, true, false]),
    ("0.0006", "0.000", [false, false, true, false]),
    ("0.0015", "0.001", [false, false, true, false]),
    ("0.0015", "0.0019", [false, false, true, false]),
    ("-1.5", "-1.5", [true, true, true, true]),
    ("+1.5", "1.5", [true, true, false, true]),
    ("1.5e1", "15.0", [true, true, false, true]),
    ("0x1.8", "1.5", [false, false, false, true]),
    ("123456789012", "123456789012.0", [true, true, true, true]),
  ]

  @Test(arguments: decimals)
  func `fractions`(_ text: String, operand: String, isEqual: [Bool]) throws {
    let log = SampleLog(texts: [Array(text.utf8)])
    for (versions, isEqual) in zip(Self.versions, isEqual) {
      for version in versions {
        let matches = try log.matches("VCL_Log == \(operand)", version: version)
        #expect(matches == (isEqual ? [2] : []), "\(version)")
      }
    }
  }

  @Test(.needs(.reference), arguments: decimals)
  func `the table of fractions is right about 7.1`(
    _ text: String, operand: String, isEqual: [Bool]
  ) throws {
    let reference = try Reference(SampleLog(texts: [Array(text.utf8)]))
    #expect(
      try reference.run(["-q", "VCL_Log == \(operand)"]).text == (isEqual[2] ? "2\n" : ""))
  }

  private static let oddities = [
    "", "12", "12 ", "-", ".", "-.", "-.5", "5.", "-5.", "- 5", "-abc", "000000000000012",
    "0000000000000012", "0000000000012.5", "00000000000012.", "1234567890123", "1234567890123.5",
    "123456789012.5", "123456789012345.", "\u{0B}12", " \n12", "1.2345", "1.2345x", "1.x", "-0", "-0.5",
    "0.0005", "-0.0005", "1 .5", "1. 5", "1 . 5", "1 x", "1\t.5", ". 5", "1.-5", "--1", "5..", "5 .",
    "12\n", "\u{0}", "12\u{0}", "1e3", "999999999999.9999", "1000000000000", "12.34567890123456789",
  ]

  @Test(
    .needs(.reference),
    arguments: [
      "== 0", "== 12", "!= -99", "< 1", "<= 0", "== 12.0", "!= -99.5", "< 0.001", "== 1.234",
      "== 1.2349", "> 999999999999", "> 999999999999.0", "== 5", "== 5.0", "== 0.5", "== -0.5",
      "== -5", "< 0", "< 0.0", "> -0.001", "== 1.5", "== 1.0", "== 999999999999.999",
    ])
  func `selects what varnishncsa selects of odd numbers`(_ comparison: String) throws {
    let log = SampleLog(texts: Self.oddities.map { Array($0.utf8) })
    let theirs = try Reference(log).run(["-q", "VCL_Log \(comparison)"])
    let ours = try log.matches("VCL_Log \(comparison)")
    #expect(ours.map { "\($0)\n" }.joined() == theirs.text)
  }

  @Test(arguments: [
    (VarnishVersion(4, 0), "0x1.8", true),
    (VarnishVersion(4, 0), "1.5e0", true),
    (VarnishVersion(6, 0), "1.5e0", true),
    (VarnishVersion(6, 6), "1.5e0", true),
    (VarnishVersion(7, 6), "1.5e0", true),
    (VarnishVersion(7, 6), "0x1.8", true),
    (VarnishVersion(7, 6), "+1.5", true),
    (VarnishVersion(7, 1), "1.5009", true),
    (VarnishVersion(7, 6), "1.5009", false),
  ])
  func `operands with a point`(_ version: VarnishVersion, operand: String, isEqual: Bool) throws {
    let log = SampleLog(texts: [Array("1.5".utf8)])
    #expect(try log.matches("VCL_Log == \(operand)", version: version) == (isEqual ? [2] : []))
  }
}
