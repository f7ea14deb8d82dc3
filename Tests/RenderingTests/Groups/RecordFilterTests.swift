import LogQuery
import TestSupport
import Testing
import VarnishLog

/// The options that choose records: the effect of their order, and the errors for invalid ones.
struct RecordFilterTests {
  static let lines = """
    2 c ReqMethod GET
    2 c ReqURL /path
    2 c ReqHeader Host: example.com
    2 c ReqHeader User-Agent: UA
    2 c RespStatus 200
    2 c RespHeader Server: Varnish
    """

  /// Rules as on a command line, and the indices of the records above that are shown.
  static let selections: [([String], [Int])] = [
    ([], [0, 1, 2, 3, 4, 5]),
    (["i:ReqURL"], [1]),
    (["x:ReqURL"], [0, 2, 3, 4, 5]),
    (["i:ReqURL", "i:RespStatus"], [1, 4]),
    (["i:ReqURL,RespStatus"], [1, 4]),
    (["i:,ReqURL,,"], [1]),
    (["i:Req*", "x:ReqHeader"], [0, 1]),
    // Each rule applies to what the rules before it have left.
    (["x:ReqHeader", "i:Req*"], [0, 1, 2, 3, 4, 5]),
    (["i:*Header"], [2, 3, 5]),
    (["i:re*header"], [2, 3, 5]),
    (["i:*"], [0, 1, 2, 3, 4, 5]),
    (["i:reqm"], [0]),
    (["x:*", "i:ReqURL"], [1]),
    (["I:Header"], []),
    (["I:example"], [2]),
    (["I:ReqHeader:a"], [2]),
    (["I:Req*:^[/U]"], [1, 3]),
    (["I:req*,resp*:V"], [5]),
    (["X:ReqHeader:."], [0, 1, 4, 5]),
    (["X:e"], [0, 1, 4]),
    // A record that one rule shows by matching is shown, even if another rule hides it.
    (["X:ReqHeader:.", "I:Host"], [0, 1, 2, 4, 5]),
    (["x:ReqHeader", "I:ReqHeader:Host"], [0, 1, 2, 4, 5]),
    (["i:ReqHeader", "X:Host"], [3]),
    (["i:ReqURL", "I:ReqHeader:^User"], [1, 3]),
    (["I:ReqHeader:^User", "i:ReqURL"], [1, 3]),
    (["I:nothing"], []),
    (["X:nothing"], [0, 1, 2, 3, 4, 5]),
    (["I:ReqHeader:HOST"], []),
    (["C:", "I:ReqHeader:HOST"], [2]),
    (["I:"], [0, 1, 2, 3, 4, 5]),
    // A payload's final NUL is a part of the payload; `$` matches before the last character only if that is a
    // newline.
    (["I:ReqURL:path$"], []),
    (["I:ReqURL:path.$"], [1]),
    (["I:ReqURL:path\\x00"], [1]),
  ]

  @Test(arguments: selections)
  func `rules count in their order`(rules: [String], shown: [Int]) throws {
    let records = SampleRecord.parse(Self.lines)
    var filter = try Self.filter(Self.rules(rules))
    #expect(filter.showsAll ? shown.count == records.count : !rules.isEmpty)
    for (index, record) in records.enumerated() {
      let isShown = record.payload.withUnsafeBytes { buffer in
        buffer.baseAddress.map {
          filter.shows(tag: record.tag, payload: LogBytes(start: $0, count: buffer.count))
        }
      }
      #expect(isShown == shown.contains(index), "\(Self.lines.split(separator: "\n")[index])")
    }
  }

  static let mistakes: [(String, String, String)] = [
    ("i:Foo", "7.1", "-i: \"Foo\" matches zero tags"),
    ("x:Foo", "7.1", "-x: \"Foo\" matches zero tags"),
    ("i:ReqURL,Foo", "7.1", "-i: \"ReqURL,Foo\" matches zero tags"),
    ("i:", "7.1", "-i: \"\" matches zero tags"),
    ("i:,", "7.1", "-i: \",\" matches zero tags"),
    ("i:ReqURL, ReqMethod", "7.1", "-i: \"ReqURL, ReqMethod\" matches zero tags"),
    ("i:Foo*", "7.1", "-i: \"Foo*\" matches zero tags"),
    ("i:Req", "7.1", "-i: \"Req\" is ambiguous"),
    ("I:Req:x", "7.1", "-I: \"Req\" is ambiguous"),
    ("X:Nope:x", "7.1", "-X: \"Nope\" matches zero tags"),
    ("I::x", "7.1", "-I: \"\" matches zero tags"),
    ("i:*a*", "7.1", "-i: Syntax error in \"*a*\""),
    ("i:Re*Header", "5.2", "-i: Syntax error in \"Re*Header\""),
    ("i:TLS", "8.0", "-i: \"TLS\" matches zero tags"),
    ("I:(", "7.1", "-I: Regex error at position 1 (missing closing parenthesis)"),
    ("X:ReqURL:[a", "7.1", "-X: Regex error at position 2 (missing terminating ] for character class)"),
    ("I:*", "7.1", "-I: Regex error at position 0 (quantifier does not follow a repeatable item)"),
  ]

  @Test(arguments: mistakes)
  func `what can't be used is named`(rule: String, version: String, message: String) throws {
    let version = try #require(VarnishVersion(parsing: version))
    #expect(throws: RecordRuleError.self) { _ = try Self.filter(Self.rules([rule]), version) }
    do {
      _ = try Self.filter(Self.rules([rule]), version)
    } catch {
      #expect("\(error)" == message)
    }
  }

  @Test func `the first mistake is the one that is said`() throws {
    do {
      _ = try Self.filter(Self.rules(["i:ReqURL", "x:Foo", "I:("]))
      Issue.record("nothing was wrong")
    } catch {
      #expect("\(error)" == "-x: \"Foo\" matches zero tags")
    }
  }

  @Test func `what is always shown only an expression can hide`() throws {
    let tags = TagTable(.v41)
    let begin = try #require(tags.number(of: .begin))
    var set = TagSet()
    set.insert(begin)
    for (rules, isShown) in [(["i:ReqURL"], true), (["x:Begin"], true), (["X:Begin:."], false)] {
      var filter = try RecordFilter(
        Self.rules(rules), version: VarnishVersion(7, 1), isStrict: true, tags: tags, alwaysShown: set)
      let isFound = Array("req 1 rxreq\0".utf8).withUnsafeBytes { buffer in
        buffer.baseAddress.map {
          filter.shows(tag: begin, payload: LogBytes(start: $0, count: buffer.count))
        }
      }
      #expect(isFound == isShown, "\(rules)")
    }
  }

  private static func filter(
    _ rules: [RecordRule], _ version: VarnishVersion = VarnishVersion(7, 1)
  ) throws -> RecordFilter {
    try RecordFilter(
      rules, version: version, isStrict: true, tags: TagTable(TagNumbering(of: version)))
  }

  /// Rules written as letter, colon, value; `C:` stands for `-C` and applies to the rules behind it.
  private static func rules(_ texts: [String]) -> [RecordRule] {
    var isCaseless = false
    return texts.compactMap { text in
      guard let letter = text.first, let kind = RecordRule.Kind(rawValue: letter) else {
        isCaseless = true
        return nil
      }
      return RecordRule(kind, Array(text.dropFirst(2).utf8), isCaseless: isCaseless)
    }
  }
}
