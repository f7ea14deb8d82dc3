import Rendering
import Testing
import VarnishLog

/// The errors for invalid formats, in the words of each release.
struct FormatErrorTests {
  static let messages: [(String, String)] = [
    ("%z", "Unknown format specifier at: %z"),
    ("%", "Unknown format specifier at: %"),
    ("%%", "Unknown format specifier at: %%"),
    ("a %z b", "Unknown format specifier at: %z b"),
    ("%{foo", "Unmatched bracket at: %{foo"),
    ("%{foo}", "Unknown format specifier at: %{foo}"),
    ("%{foo}z", "Unknown format specifier at: %{foo}z"),
    ("%{ns}T", "Unknown specifier: %{ns}T"),
    ("%{Foo}x", "Unknown formatting extension: Foo"),
    ("%{}x", "Unknown formatting extension: "),
    ("%{VSL:}x", "Missing tag in VSL:"),
    ("%{VSL:Nope}x", "Unknown log tag: Nope"),
    ("%{VSL:ReqAcct[1}x", "Unknown log tag: ReqAcct[1"),
    ("%{VSL:Req}x", "Tag not unique: Req"),
    ("%{VSL:Debug}x", "Tag Debug can contain control characters"),
    ("%{VSL:ReqStatus}x", "Tag ReqStatus can contain control characters"),
    (
      "%{VSL:ReqAcct[0]}x",
      "Syntax error. Field specifier must be between 1 and 255: ReqAcct[0]"
    ),
    (
      "%{VSL:ReqAcct[256]}x",
      "Syntax error. Field specifier must be between 1 and 255: ReqAcct[256]"
    ),
    ("%{VSL:ReqAcct[x]}x", "Syntax error: VSL:ReqAcct[x]"),
    ("%{VSL:ReqAcct[]}x", "Syntax error: VSL:ReqAcct[]"),
    ("%{VSL:[1]}x", "Syntax error: VSL:[1]"),
    // A closing bracket without an opening one is found before the tag is looked up; an opening bracket
    // belongs to the tag.
    ("%{VSL:Nope]}x", "Syntax error: VSL:Nope]"),
    ("%{VSL:Nope1]}x", "Syntax error: VSL:Nope1]"),
    ("%{VSL:ReqURL]}x", "Syntax error: VSL:ReqURL]"),
    ("%{VSL:]}x", "Syntax error: VSL:]"),
    ("%{VSL:ReqHeader:foo]}x", "Syntax error: VSL:ReqHeader:foo]"),
    ("%{VSL:Nope:foo]}x", "Syntax error: VSL:Nope:foo]"),
    ("%{VSL:ReqURL:]}x", "Syntax error: VSL:ReqURL:]"),
    ("%{VSL:ReqURL[1]]}x", "Syntax error: VSL:ReqURL[1]]"),
    ("%{VSL:ReqURL[[1]]}x", "Syntax error: VSL:ReqURL[[1]]"),
    ("%{VSL:Nope[x]}x", "Syntax error: VSL:Nope[x]"),
    ("%{VSL:Nope[]}x", "Syntax error: VSL:Nope[]"),
    ("%{VSL:ReqURL[1 ]}x", "Syntax error: VSL:ReqURL[1 ]"),
    ("%{VSL:ReqURL[1.5]}x", "Syntax error: VSL:ReqURL[1.5]"),
    ("%{VSL:ReqURL[0x1]}x", "Syntax error: VSL:ReqURL[0x1]"),
    ("%{VSL:Nope[0]}x", "Syntax error. Field specifier must be between 1 and 255: Nope[0]"),
    ("%{VSL:ReqURL[-1]}x", "Syntax error. Field specifier must be between 1 and 255: ReqURL[-1]"),
    (
      "%{VSL:ReqURL[99999999999999999999]}x",
      "Syntax error. Field specifier must be between 1 and 255: ReqURL[99999999999999999999]"
    ),
    ("%{VSL:[}x", "Unknown log tag: ["),
    ("%{VSL:Nope[}x", "Unknown log tag: Nope["),
    ("%{VSL:ReqURL[}x", "Unknown log tag: ReqURL["),
    ("%{VSL:ReqURL[x}x", "Unknown log tag: ReqURL[x"),
    ("%{VSL:ReqURL[1]x}x", "Unknown log tag: ReqURL[1]x"),
    ("%{VSL:ReqURL[1]:x}x", "Unknown log tag: ReqURL[1]:x"),
    ("%{VSL:ReqURL[1][2]}x", "Unknown log tag: ReqURL[1]"),
    ("%{VSL:ReqURL][1]}x", "Unknown log tag: ReqURL]"),
    ("%{VSL:Nope:[}x", "Unknown log tag: Nope:["),
    ("%{VSL::foo}x", "Tag not unique: :foo"),
    ("%{VSL:ReqURL[1", "Unmatched bracket at: %{VSL:ReqURL[1"),
  ]

  @Test(
    arguments: [
      "%{VSL:ReqURL[+1]}x", "%{VSL:ReqURL[ 1]}x", "%{VSL:ReqURL[01]}x", "%{VSL:ReqHeader:f]oo}x",
      "%{VSL:ReqHeader:f[oo}x", "%{VSL:ReqURL:[}x",
    ])
  func `brackets that are no mistake`(format: String) {
    #expect(Self.refusal(of: format, by: VarnishVersion(7, 1)) == nil)
  }

  @Test(arguments: messages)
  func `7.1 and 8.0 say what is wrong`(format: String, message: String) {
    for version in [VarnishVersion(7, 1), VarnishVersion(8, 0)] {
      #expect(Self.refusal(of: format, by: version) == message, "\(version)")
    }
  }

  /// A format, the rules by which it is refused, and the message.
  static let olderMessages: [(String, VarnishVersion, String)] = [
    ("%{Foo}x", VarnishVersion(4, 0), "Unknown format specifier at: %{Foo}x"),
    (
      "%{VSL:ReqAcct[0]}x", VarnishVersion(5, 1),
      "Syntax error. Field specifier must be positive: ReqAcct[0]"
    ),
    ("%{VSL:ReqUnset}x", VarnishVersion(6, 0), "Tag ReqUnset can contain control characters"),
    ("%{X:foo}i", VarnishVersion(8, 0), "Unknown match rule :foo"),
    ("%{X:}o", VarnishVersion(9, 0), "Unknown match rule :"),
  ]

  @Test(arguments: olderMessages)
  func `other releases say it in their words`(
    format: String, version: VarnishVersion, message: String
  ) {
    #expect(Self.refusal(of: format, by: version) == message)
  }

  /// A format, the release that accepts it, and the release before, which refuses it or takes it for
  /// something else.
  static let availability: [(String, VarnishVersion, VarnishVersion)] = [
    ("%{ms}T", VarnishVersion(6, 0, 12), VarnishVersion(6, 0, 11)),
    ("%{ms}T", VarnishVersion(6, 6), VarnishVersion(6, 5)),
    ("%{Varnish:side}x", VarnishVersion(4, 1, 3), VarnishVersion(4, 1, 2)),
    ("%{Varnish:vxid}x", VarnishVersion(4, 1, 3), VarnishVersion(4, 1, 2)),
    ("%{VSL:Begin}x", VarnishVersion(4, 1, 3), VarnishVersion(4, 1, 2)),
    ("%{Varnish:default_format}x", VarnishVersion(7, 5), VarnishVersion(7, 4)),
    ("%{VSL:ReqAcct[256]}x", VarnishVersion(5, 1), VarnishVersion(5, 2)),
    ("%{VSL:Debug}x", VarnishVersion(5, 2), VarnishVersion(6, 0)),
    ("%{VSL:ReqUnset}x", VarnishVersion(7, 0), VarnishVersion(6, 6)),
    ("%{X:foo}i", VarnishVersion(7, 7), VarnishVersion(8, 0)),
    ("%{a{b}c}i", VarnishVersion(7, 0), VarnishVersion(6, 6)),
  ]

  @Test(arguments: availability)
  func `what one release knows another refuses`(
    format: String, accepting: VarnishVersion, refusing: VarnishVersion
  ) {
    #expect(Self.refusal(of: format, by: accepting) == nil)
    #expect(Self.refusal(of: format, by: refusing) != nil)
  }

  @Test(arguments: ["%{ms}T", "%{Varnish:default_format}x", "%{VSL:Begin}x", "%{Varnish:side}x"])
  func `without a release to insist on, everything of any release is known`(format: String) {
    for numbering in TagNumbering.allCases {
      let rules = NCSARules.natural(for: numbering)
      #expect(throws: Never.self) {
        try LineFormat(Array(format.utf8), rules: rules, isJSON: false)
      }
    }
  }

  @Test func `JSON may show tags that plain text may not`() throws {
    let rules = NCSARules(VarnishVersion(7, 1), isStrict: true)
    _ = try LineFormat(Array("%{VSL:Debug}x".utf8), rules: rules, isJSON: true)
  }

  private static func refusal(of format: String, by version: VarnishVersion) -> String? {
    do {
      _ = try LineFormat(
        Array(format.utf8), rules: NCSARules(version, isStrict: true), isJSON: false)
      return nil
    } catch {
      return error.description
    }
  }
}
