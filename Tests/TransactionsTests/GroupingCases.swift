import Testing
import Transactions

/// Records, and the groups they must give.
struct GroupingCase: Sendable, CustomTestStringConvertible {
  var name: String
  var grouping: Grouping
  var limit = 1000
  var lines: String
  /// The members of each group.
  var groups: [String]
  /// The records that the grouper itself made, group by group.
  var notes: [[String]]

  init(
    _ name: String, by grouping: Grouping = .vxid, limit: Int = 1000, _ lines: String,
    _ groups: [String], notes: [[String]] = []
  ) {
    self.name = name
    self.grouping = grouping
    self.limit = limit
    self.lines = lines
    self.groups = groups
    self.notes = notes.isEmpty ? groups.map { _ in [] } : notes
  }

  var testDescription: String { name }

  static let all = byNumber + byRequest + bySession

  private static let byNumber = [
    GroupingCase("no End, no group", "2 c Begin req 1 rxreq\n2 c ReqURL /a", []),
    GroupingCase(
      "what never began is left out",
      "2 c ReqURL /x\n2 c End\n5 c Begin req 1 rxreq\n5 c End", ["1:5"]),
    GroupingCase(
      "a second Begin is noted", "2 c Begin req 1 rxreq\n2 c Begin req 1 rxreq\n2 c End", ["1:2"],
      notes: [[#"2 VSL duplicate begin (2:Begin "req 1 rxreq")"#]]),
    GroupingCase(
      "a number can be used again",
      "2 c Begin req 1 rxreq\n2 c End\n2 c Begin req 1 rxreq\n2 c End", ["1:2", "1:2"]),
    GroupingCase(
      "more than the limit: the oldest are ended", limit: 1,
      """
      2 c Begin req 1 rxreq
      4 c Begin req 1 rxreq
      6 c Begin req 1 rxreq
      6 c End
      4 c End
      2 c End
      """, ["1:2", "1:4", "1:6"],
      notes: [
        ["2 VSL store overflow", "2 End synth"], ["4 VSL store overflow", "4 End synth"], [],
      ]),
    GroupingCase(
      "a Begin that can't be read", "2 c Begin req\n2 c End", ["1:2"],
      notes: [
        [#"2 VSL parse error (2:Begin "req")"#, "2 VSL vtx of unknown type marked complete"]
      ]),
    GroupingCase(
      "records of nobody are in no group", "0 - CLI Rd ping\n2 c Begin req 1 rxreq\n2 c End",
      ["1:2"]),
    GroupingCase(
      "a note is cut after 63 characters",
      "2 c Begin \(String(repeating: "x", count: 100)) 1 rxreq\n2 c End", ["1:2"],
      notes: [
        [
          #"2 VSL parse error (2:Begin "\#(String(repeating: "x", count: 41))"#,
          "2 VSL vtx of unknown type marked complete",
        ]
      ]),
    GroupingCase("any reason is good", "2 c Begin req 1 blah\n2 c End", ["1:2"]),
    GroupingCase(
      "an unknown type is noted", "2 c Begin foo 1 rxreq\n2 c End", ["1:2"],
      notes: [
        [
          #"2 VSL unknown vxid type (2:Begin "foo 1 rxreq")"#,
          "2 VSL vtx of unknown type marked complete",
        ]
      ]),
    GroupingCase(
      "its own parent", "2 c Begin req 2 rxreq\n2 c End", ["1:2"],
      notes: [[#"2 VSL link to self (2:Begin "req 2 rxreq")"#]]),
    GroupingCase(
      "interleaved, the first to end comes first",
      "2 c Begin req 1 rxreq\n4 c Begin req 1 rxreq\n4 c End\n2 c End", ["1:4", "1:2"]),
  ]

  private static let byRequest = [
    GroupingCase(
      "another type than the link said", by: .request,
      """
      2 c Begin req 1 rxreq
      2 c Link req 3 esi
      3 b Begin bereq 2 fetch
      3 b End
      2 c End
      """, ["1:2 2:3"], notes: [[#"3 VSL type mismatch (3:Begin "bereq 2 fetch")"#]]),
    GroupingCase(
      "another parent than the one that linked", by: .request,
      """
      2 c Begin req 1 rxreq
      2 c Link bereq 3 fetch
      3 b Begin bereq 7 fetch
      3 b End
      2 c End
      """, ["1:2 2:3"], notes: [[#"3 VSL link mismatch (3:Begin "bereq 7 fetch")"#]]),
    GroupingCase(
      "two parents: the second goes without", by: .request,
      """
      2 c Begin req 1 rxreq
      2 c Link bereq 3 fetch
      4 c Begin req 1 rxreq
      4 c Link bereq 3 fetch
      4 c End
      2 c End
      3 b Begin bereq 2 fetch
      3 b End
      """, ["1:4", "1:2 2:3"],
      notes: [[#"4 VSL duplicate link (4:Link "bereq 3 fetch")"#], []]),
    GroupingCase(
      "linked after it was discarded: never finished", by: .request,
      """
      3 b Begin bereq 0 fetch
      3 b End
      2 c Begin req 1 rxreq
      2 c Link bereq 3 fetch
      2 c End
      """, []),
    GroupingCase(
      "the child first", by: .request,
      """
      3 b Begin bereq 2 fetch
      3 b End
      2 c Begin req 1 rxreq
      2 c Link bereq 3 fetch
      2 c End
      """, ["1:2 2:3"]),
    GroupingCase(
      "what comes after the end means nothing any more", by: .request,
      """
      2 c Begin req 1 rxreq
      2 c Link bereq 3 fetch
      2 c End
      2 c Link bereq 4 fetch
      2 c Begin req 1 rxreq
      3 b Begin bereq 2 fetch
      3 b End
      """, ["1:2 2:3"]),
    GroupingCase(
      "a child that nobody announced", by: .request,
      "2 c Begin req 1 rxreq\n2 c End\n3 b Begin bereq 2 fetch\n3 b End", ["1:2"]),
    GroupingCase(
      "a child that never comes is made up when there is no more room", by: .request, limit: 1,
      """
      2 c Begin req 1 rxreq
      2 c Link bereq 3 fetch
      2 c ReqURL /x
      2 c End
      5 c Begin req 1 rxreq
      5 c End
      """, ["1:2 2:3", "1:5"],
      notes: [
        [
          "2 VSL store overflow", "2 End synth", "3 Begin bereq 0 synth", "3 VSL store overflow",
          "3 End synth",
        ], [],
      ]),
    GroupingCase(
      "a restart that never comes stands below what it would have restarted", by: .request, limit: 1,
      """
      2 c Begin req 1 rxreq
      2 c Link req 3 restart
      2 c End
      5 c Begin req 1 rxreq
      5 c End
      """, ["1:2 2:3", "1:5"],
      notes: [
        [
          "2 VSL store overflow", "2 End synth", "3 Begin req 0 synth", "3 VSL store overflow",
          "3 End synth",
        ], [],
      ]),
    GroupingCase(
      "a restart stands beside what it restarts", by: .request,
      """
      2 c Begin req 1 rxreq
      2 c Link req 3 restart
      2 c End
      3 c Begin req 2 restart
      3 c Link bereq 4 fetch
      4 b Begin bereq 3 fetch
      4 b End
      3 c End
      """, ["1:2 1:3 2:4"]),
    GroupingCase(
      "children in the order in which they were tied", by: .request,
      """
      2 c Begin req 1 rxreq
      4 b Begin bereq 2 fetch
      3 b Begin bereq 2 fetch
      2 c Link bereq 3 fetch
      2 c Link bereq 4 fetch
      3 b End
      4 b End
      2 c End
      """, ["1:2 2:4 2:3"]),
    GroupingCase(
      "a link to oneself and one to nobody are noted", by: .request,
      "2 c Begin req 1 rxreq\n2 c Link req 2 esi\n2 c Link req 0 esi\n2 c Link x\n2 c End", ["1:2"],
      notes: [
        [
          #"2 VSL link to self (2:Link "req 2 esi")"#, #"2 VSL illegal link vxid (2:Link "req 0 esi")"#,
          #"2 VSL parse error (2:Link "x")"#,
        ]
      ]),
  ]

  private static let session = """
    1 c Begin sess 0 HTTP/1
    1 c Link req 2 rxreq
    2 c Begin req 1 rxreq
    2 c Link bereq 3 fetch
    3 b Begin bereq 2 fetch
    3 b End
    """

  private static let bySession = [
    GroupingCase("session: its end last", by: .session, session + "\n2 c End\n1 c End", ["1:1 2:2 3:3"]),
    GroupingCase("session: its end first", by: .session, session + "\n1 c End\n2 c End", ["1:1 2:2 3:3"]),
    GroupingCase(
      "what is made up of an unknown type is noted too", by: .session, limit: 1,
      """
      1 c Begin sess 0 HTTP/1
      1 c Link foo 3 x
      1 c End
      4 c Begin sess 0 HTTP/1
      4 c End
      """, ["1:1 2:3", "1:4"],
      notes: [
        [
          #"1 VSL unknown vxid type (1:Link "foo 3 x")"#, "1 VSL store overflow", "1 End synth",
          "3 Begin unknown 0 synth", "3 VSL store overflow", "3 End synth",
          #"3 VSL unknown vxid type (3:Begin "unknown 0 synth")"#,
          "3 VSL vtx of unknown type marked complete",
        ], [],
      ]),
    GroupingCase(
      "a request whose session was never seen", by: .session, "2 c Begin req 0 rxreq\n2 c End", []),
  ]
}
