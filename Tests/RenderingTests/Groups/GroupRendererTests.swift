import LogQuery
import Rendering
import TestSupport
import Testing
import Transactions
import VarnishLog

/// Groups as varnishlog shows them.
struct GroupRendererTests {
  /// Five levels of fragments, with a fetch on the second.
  static let nested = """
    2 c Begin req 1 rxreq
    2 c Link req 3 esi
    3 c Begin req 2 esi
    3 c Link bereq 4 fetch
    4 b Begin bereq 3 fetch
    4 b End
    3 c Link req 5 esi
    5 c Begin req 3 esi
    5 c Link req 6 esi
    6 c Begin req 5 esi
    6 c Link req 7 esi
    7 c Begin req 6 esi
    7 c End
    6 c End
    5 c End
    3 c End
    2 c End
    """

  @Test func `a terminal gets no control character of a payload`() throws {
    var log = LogFileBuilder(lines: "2 c Begin req 1 rxreq")
    // A sequence that clears the screen, a control character in one byte and in two, and letters beyond
    // ASCII.
    let payload: [UInt8] = Array("a:\u{1b}[2J\tx\r\n".utf8) + [0x9b] + Array("1m\u{9b}1m größe àÀ".utf8)
    log.add(SampleRecord(2, .client, tag: SampleTags.v7["VCL_Log"], bytes: payload))
    log.add(lines: "2 c End")
    let shown = try Showing(grouping: nil, isForTerminal: true).text(log)
    #expect(shown.contains("c a:%1b[2J\tx%0d%0a%9b1m"))
    #expect(shown.contains("%9b1m größe àÀ\n"))
    #expect(!shown.utf8.contains(0x1b) && !shown.utf8.contains(0x0d))
    let raw = try Showing(grouping: nil).bytes(log)
    #expect(raw.contains(0x1b) && raw.contains(0x9b), "a file gets what varnishlog writes")
  }

  @Test func `levels are stars, and a number from the fourth on`() throws {
    #expect(
      try Showing(grouping: .request).text(Self.nested) == """
        *   << Request  >> 2\("         ")
        -   Begin          req 1 rxreq
        -   Link           req 3 esi
        -   End            \("")
        **  << Request  >> 3\("         ")
        --  Begin          req 2 esi
        --  Link           bereq 4 fetch
        --  Link           req 5 esi
        --  End            \("")
        *** << BeReq    >> 4\("         ")
        --- Begin          bereq 3 fetch
        --- End            \("")
        *** << Request  >> 5\("         ")
        --- Begin          req 3 esi
        --- Link           req 6 esi
        --- End            \("")
        *4* << Request  >> 6\("         ")
        -4- Begin          req 5 esi
        -4- Link           req 7 esi
        -4- End            \("")
        *5* << Request  >> 7\("         ")
        -5- Begin          req 6 esi
        -5- End            \("")


        """)
  }

  @Test func `verbose lines have the number and the side`() throws {
    let lines = """
      1 c Begin sess 0 HTTP/1
      1 - Debug x
      1 c Link req 2 rxreq
      2 c Begin req 1 rxreq
      2 b BereqURL /x
      2 c End
      1 c End
      """
    #expect(
      try Showing(form: .text(isVerbose: true), grouping: .session).text(lines) == """
        *              << Session  >>   1\("         ")
        -            1 Begin          c sess 0 HTTP/1
        -            1 Debug          - "x%00"
        -            1 Link           c req 2 rxreq
        -            1 End            c \("")
        **             << Request  >>   2\("         ")
        --           2 Begin          c req 1 rxreq
        --           2 BereqURL       b /x
        --           2 End            c \("")


        """)
  }

  @Test func `a record by itself has number and side, and no header`() throws {
    var log = LogFileBuilder(.threeWord, lines: "0 - CLI Rd ping\n12345678901 c ReqURL /a\n3 b End")
    log.add(lines: "3 b BereqURL /b")
    #expect(
      try Showing(version: VarnishVersion(8, 0), grouping: nil).text(log) == """
                 0 CLI            - Rd ping
        12345678901 ReqURL         c /a
                 3 End            b \("")
                 3 BereqURL       b /b

        """)
  }

  @Test func `a number longer than its column is shown in full`() throws {
    let lines = "12345678901 c Begin req 1 rxreq\n12345678901 c End"
    #expect(
      try Showing(version: VarnishVersion(8, 0)).text(lines) == """
        *   << Request  >> 12345678901
        -   Begin          req 1 rxreq
        -   End            \("")


        """)
  }

  @Test func `what has no known type is shown as such`() throws {
    let text = try Showing(version: VarnishVersion(6, 0)).text("2 c Begin foo 1 bar\n2 c End")
    #expect(text.hasPrefix("*   << Unknown  >> 2         \n-   Begin          foo 1 bar\n"))
  }

  @Test func `an empty line follows each group, and a group without records keeps its header`() throws {
    let lines = "2 c Begin req 1 rxreq\n2 c End\n4 c Begin req 1 rxreq\n4 c ReqURL /a\n4 c End"
    #expect(
      try Showing(rules: [RecordRule(.include, Array("ReqURL".utf8))]).text(lines) == """
        *   << Request  >> 2\("         ")

        *   << Request  >> 4\("         ")
        -   ReqURL         /a


        """)
  }

  // MARK: Payloads

  struct Payload: Sendable, CustomTestStringConvertible {
    var tag: String
    var bytes: [UInt8]
    var terminated = true
    /// The expected texts, by release.
    var shown: [String: String]
    var testDescription: String { "\(tag) \(bytes)" }
  }

  static let payloads = [
    Payload(tag: "VCL_Log", bytes: [0x61, 0, 0x62], shown: ["5.2": "a", "7.1": "a", "8.0": "a"]),
    Payload(tag: "VCL_Log", bytes: [0x61, 0x62], terminated: false, shown: ["7.1": "ab", "9.0": "ab"]),
    Payload(tag: "VCL_Log", bytes: [], terminated: false, shown: ["7.1": "", "8.0": ""]),
    Payload(
      tag: "VCL_Log", bytes: [0x22, 0x25, 9, 10, 0xFF], shown: ["7.1": "\"%\t\n\u{FFFD}"]),
    Payload(
      tag: "Debug", bytes: [0x61, 1, 0, 0x62],
      shown: [
        "5.2": "\"a%01%00b\"", "6.0": "\"a%01%00b%00\"", "7.1": "\"a%01%00b%00\"", "9.0": "\"a%01%00b%00\"",
      ]),
    Payload(
      tag: "Debug", bytes: [0x61], terminated: false, shown: ["5.2": "\"a\"", "7.1": "\"a\""]),
    Payload(
      tag: "HttpGarbage", bytes: [0x22, 0x25, 0x7F, 0x80, 0x20, 0x7E],
      shown: ["5.2": "\"\"%%7f%80 ~%00\"", "8.0": "\"\"%%7f%80 ~%00\""]),
    Payload(tag: "Hash", bytes: [0x61], shown: ["5.2": "\"a%00\"", "7.1": "\"a%00\""]),
    Payload(
      tag: "H2RxHdr", bytes: [0, 0xFF],
      shown: ["5.2": "", "6.0": "[00ff00]", "7.1": "[00ff00]", "8.0": "[00ff00]", "9.0": "[00ff00]"]),
    Payload(tag: "H2TxBody", bytes: [], terminated: false, shown: ["7.1": "[]"]),
  ]

  @Test(arguments: payloads) func `payloads of any bytes by release`(payload: Payload) throws {
    for (text, shown) in payload.shown {
      let version = try #require(VarnishVersion(parsing: text))
      let layout: SampleLayout = version < VarnishVersion(7, 3, 0) ? .twoWord : .threeWord
      var log = LogFileBuilder(
        layout, tags: layout == .twoWord ? .v7 : version < VarnishVersion(9, 0, 0) ? .v8 : .v9)
      log.add(
        SampleRecord(
          2, .client, tag: log.tags[payload.tag], bytes: payload.bytes, terminated: payload.terminated))
      let line = "         2 " + payload.tag + String(repeating: " ", count: 15 - payload.tag.count)
      #expect(
        try Showing(version: version, grouping: nil).text(log) == "\(line)c \(shown)\n", "\(text)")
    }
  }

  // MARK: Room

  @Test(arguments: [GroupRenderer.Form.text(isVerbose: false), .text(isVerbose: true), .records])
  func `too little room is said, never passed`(form: GroupRenderer.Form) throws {
    let lines = Self.nested.replacing("2 c Link req 3 esi", with: "2 c Debug \u{1}\u{2}\n2 c Link req 3 esi")
    var showing = Showing(form: form, grouping: .request)
    let log = LogFileBuilder(lines: lines)
    let whole = try showing.bytes(log)
    // The renderer requires room for the longest possible line, which is more than the line then takes.
    for byteCount in stride(from: 0, through: whole.count + 200, by: 7) {
      showing.roomByteCount = byteCount
      let bytes = try showing.bytes(log)
      let isRefused = bytes == Array("OVERFLOW\n".utf8)
      #expect(isRefused || (bytes == whole && byteCount >= whole.count), "\(byteCount)")
      if byteCount > whole.count + 100 { #expect(!isRefused) }
    }
  }

  // MARK: Sides

  struct Selection: Sendable, CustomTestStringConvertible {
    var options: String
    var version: String
    /// The numbers among those of a request, a fragment of it and the fragment's fetch.
    var shown: [Int]
    /// When both sides are requested, releases up to 7.2 show only records that belong to both, and there are
    /// none.
    var showsRecords = true
    var testDescription: String { "-\(options) \(version)" }
  }

  static let selections = [
    Selection(options: "", version: "7.1", shown: [2, 3, 4]),
    Selection(options: "b", version: "7.1", shown: [4]),
    Selection(options: "c", version: "7.1", shown: [2]),
    Selection(options: "cE", version: "7.1", shown: [2, 3]),
    Selection(options: "E", version: "7.1", shown: [2, 3]),
    Selection(options: "bE", version: "7.1", shown: [2, 3, 4], showsRecords: false),
    Selection(options: "bc", version: "7.1", shown: [2, 4], showsRecords: false),
    Selection(options: "c", version: "6.0", shown: [2, 3]),
    Selection(options: "E", version: "6.0", shown: [2, 3, 4]),
    Selection(options: "bE", version: "6.0", shown: [4]),
    Selection(options: "bc", version: "8.0", shown: [2, 4]),
    Selection(options: "bcE", version: "8.0", shown: [2, 3, 4]),
    Selection(options: "E", version: "8.0", shown: [2, 3]),
  ]

  @Test(arguments: selections) func `sides choose transactions`(selection: Selection) throws {
    let lines = """
      2 c Begin req 1 rxreq
      2 c Link req 3 esi
      3 c Begin req 2 esi
      3 c Link bereq 4 fetch
      4 b Begin bereq 3 fetch
      4 b End
      3 c End
      2 c End
      """
    let showing = Showing(
      version: try #require(VarnishVersion(parsing: selection.version)), grouping: .request,
      client: selection.options.contains("c"), backend: selection.options.contains("b"),
      esi: selection.options.contains("E"))
    let shown = try showing.text(lines).split(separator: "\n")
    let numbers = shown.filter { $0.hasPrefix("*") }.compactMap {
      $0.split(separator: " ").last.flatMap { Int($0) }
    }
    #expect(numbers == selection.shown)
    #expect(shown.contains { $0.hasPrefix("-") } == selection.showsRecords)
  }

  @Test func `of a file of records, sides choose records only`() throws {
    let log = LogFileBuilder(
      lines: """
        1 c Begin sess 0 HTTP/1
        1 c Link req 2 rxreq
        2 c Begin req 1 rxreq
        2 b BereqURL /b
        2 c End
        1 c End
        """)
    let showing = Showing(form: .records, grouping: .session, client: true)
    let kept = LogFileBuilder(
      lines: """
        1 c Begin sess 0 HTTP/1
        1 c Link req 2 rxreq
        1 c End
        2 c Begin req 1 rxreq
        2 c End
        """)
    #expect(try showing.bytes(log) == Array(kept.bytes.dropFirst(4)))
  }
}
