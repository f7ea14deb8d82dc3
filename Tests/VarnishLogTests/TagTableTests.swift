import TestSupport
import Testing
import VarnishLog

/// Distinguishes it from the testing library's `Tag`.
private typealias Tag = VarnishLog.Tag

/// Compares the table of tags with the enumeration and with the format's description.
struct TagTableTests {
  @Test func `there is a row for each tag, in the order of the cases`() {
    #expect(Tag.definitions.map(\.tag) == Tag.allCases)
    #expect(Tag.allCases.map { Int($0.rawValue) } == Array(Tag.allCases.indices))
    // Among the tags that one log can have.
    for numbering in TagNumbering.allCases {
      let names = Tag.allCases.filter { TagTable(numbering).number(of: $0) != nil }.map {
        $0.name.lowercased()
      }
      #expect(Set(names).count == names.count)
    }
  }

  @Test(arguments: TagNumbering.allCases)
  func `a number is one tag's, and no mark's`(numbering: TagNumbering) {
    let table = TagTable(numbering)
    let numbered = Tag.allCases.filter { table.number(of: $0) != nil }
    for tag in numbered { #expect(table.number(of: tag).flatMap(table.tag) == tag) }
    #expect((UInt8.min...UInt8.max).filter { table.tag($0) != nil }.count == numbered.count)
    // In 3.0 a tag has the number 0.
    let marks: [UInt8] = numbering == .v30 ? [254, 255] : [0, 254, 255]
    for mark in marks { #expect(table.tag(mark) == nil) }
  }

  /// A release for each column of the description's table.
  private static let releases: [VarnishVersion] = [
    VarnishVersion(4, 0), VarnishVersion(4, 1), VarnishVersion(5, 0), VarnishVersion(5, 2),
    VarnishVersion(6, 0), VarnishVersion(6, 6), VarnishVersion(7, 2), VarnishVersion(7, 6),
    VarnishVersion(7, 7), VarnishVersion(8, 0), VarnishVersion(9, 0),
  ]

  @Test func `names, numbers and flags are those of the description`() throws {
    let home = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
      .joined(separator: "/")
    let text = try readText(home + "/Documentation/vsl-tags.md")
    var described: Set<String> = []
    for line in text.split(separator: "\n") {
      let cells = line.split(separator: "|").map { $0.filter { $0 != " " } }
      // The tables of older generations have fewer columns.
      guard cells.count == Self.releases.count + 1, let name = cells.first, name.hasPrefix("`") else {
        continue
      }
      let tag = try #require(Tag.allCases.first { "`\($0.name)`" == name }, "\(name)")
      described.insert(tag.name)
      for (release, cell) in zip(Self.releases, cells.dropFirst()) {
        let number = TagTable(TagNumbering(of: release)).number(of: tag)
        let flag =
          switch tag.flag(in: release) {
          case .unused: "ⁿ"
          case .unsafe: "ᵘ"
          case .binary: "ᵇ"
          case nil: ""
          }
        let found = tag.exists(in: release) ? "\(number ?? 0)\(flag)" : "–"
        #expect(found == cell, "\(tag.name) in \(release)")
      }
    }
    // The older generations have a table of their own.
    let expected = Tag.allCases.filter { tag in
      TagNumbering.allCases.contains { !$0.isOld && TagTable($0).number(of: tag) != nil }
    }
    #expect(described.count == expected.count)
  }

  @Test(arguments: [
    (VarnishLog.Tag.backendStart, "4.1.2", "4.1.3"), (.h2RxHdr, "4.1.11", "5.0.0"),
    (.hitMiss, "5.0.0", "5.1.0"),
    (.filters, "6.0.3", "6.0.4"), (.sessError, "5.2.1", "6.1.0"), (.vclUse, "6.1.1", "6.2.0"),
    (.vclUse, "6.0.3", "6.0.4"), (.notice, "6.0.6", "6.0.7"), (.notice, "6.3.2", "6.4.0"),
    (.vdpAcct, "6.5.2", "6.6.0"), (.tls, "8.0.0", "9.0.0"),
  ])
  func `a tag is known from a release on`(tag: VarnishLog.Tag, before: String, since: String) throws {
    #expect(!tag.exists(in: try #require(VarnishVersion(parsing: before))))
    #expect(tag.exists(in: try #require(VarnishVersion(parsing: since))))
  }
}
