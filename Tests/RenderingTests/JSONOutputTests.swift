import Foundation
import TestSupport
import Testing
import VarnishLog

/// `-j` without the rules of a particular release.
struct JSONOutputTests {
  static let format =
    #"{"m":"%m","u":"%U","q":"%q","s":"%s","h":"%h","a":"%{A}i","b":"%{B}o","l":"%{VCL_Log:k}x","x":"%{VSL:Hash}x"}"#

  @Test func `whatever bytes a log holds, a line is JSON`() throws {
    var random = SeededGenerator(seed: 11)
    let rendering = try Rendering(Self.format, nil, isJSON: true)
    for _ in 0..<2000 {
      let line = rendering.line([
        ("ReqMethod", Self.bytes(&random)), ("ReqURL", Self.bytes(&random)),
        ("RespStatus", Self.bytes(&random)), ("ReqStart", Self.bytes(&random)),
        ("ReqHeader", Array("A:".utf8) + Self.bytes(&random)),
        ("RespHeader", Array("B:".utf8) + Self.bytes(&random)),
        ("VCL_Log", Array("k:".utf8) + Self.bytes(&random)), ("Hash", Self.bytes(&random)),
      ])
      try #require(line.last == UInt8(ascii: "\n"), "\(random)")
      let object = try? JSONSerialization.jsonObject(with: Data(line.dropLast())) as? [String: String]
      try #require(
        object?.count == 9, "\(random): \(String(decoding: line, as: UTF8.self))")
      try #require(String(validating: line, as: UTF8.self) != nil, "\(random)")
    }
  }

  @Test(arguments: [
    ("smørrebrød €日本😀", "smørrebrød €日本😀"),
    ("\u{7F}/", "\u{7F}/"),
  ])
  func `text stays as it is`(text: String, expected: String) throws {
    let rendering = try Rendering("%{A}i", nil, isJSON: true)
    let line = rendering.line([("ReqHeader", Array("A: \(text)".utf8))])
    #expect(String(decoding: line, as: UTF8.self) == expected + "\n")
  }

  /// Bytes, and the text in which invalid ones are replaced.
  static let broken: [([UInt8], String)] = [
    ([0x80], "\u{FFFD}"),
    ([0xC3, 0x28], "\u{FFFD}("),
    ([0xE2, 0x82], "\u{FFFD}\u{FFFD}"),
    ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
    ([0xC0, 0xAF], "\u{FFFD}\u{FFFD}"),
    ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
    ([0xFF, 0x61], "\u{FFFD}a"),
  ]

  @Test(arguments: broken) func `what is no UTF-8 is replaced`(bytes: [UInt8], text: String) throws {
    let rendering = try Rendering("<%{A}i>", nil, isJSON: true)
    let line = rendering.line([("ReqHeader", Array("A: ".utf8) + bytes)])
    #expect(String(decoding: line, as: UTF8.self) == "<\(text)>\n")
  }

  @Test func `with a release to insist on the bytes stay`() throws {
    let rendering = try Rendering("[%{A}i]", VarnishVersion(8, 0), isJSON: true)
    let line = rendering.line([("ReqHeader", Array("A: ".utf8) + [0x80, 0xFF, 0x7F])])
    #expect(line == [0x5B, 0x80, 0xFF, 0x7F, 0x5D, 0x0A])
  }

  /// Some bytes, of all kinds or the tricky ones.
  private static func bytes(_ random: inout SeededGenerator) -> [UInt8] {
    let tricky: [UInt8] = [0, 0x0B, 0x22, 0x5C, 0x7F, 0x80, 0xC3, 0xE2, 0xED, 0xF4, 0xFF, 0x61]
    return (0..<Int.random(in: 0..<24, using: &random)).map { _ in
      Bool.random(using: &random)
        ? UInt8.random(in: .min ... .max, using: &random)
        : tricky.randomElement(using: &random) ?? 0
    }
  }
}
