import Compression
@testable import Platform
@testable import Shipping
import Testing

@Suite struct NamingTests {
  @Test(arguments: [
    ("access-%Y%m%d.log", "access-20261121.log", true),
    ("access-%Y%m%d.log", "access-20261321.log", false),
    ("access-%Y%m%d.log", "access-2026112.log", false),
    ("access-%Y%m%d.log", "access-20261121.log.1", false),
    ("access-%Y%m%d.log", "xaccess-20261121.log", false),
    ("%F_%H-%M-%S", "2026-11-21_23-59-60", true),
    ("%F_%H-%M-%S", "2026-11-21_24-00-00", false),
    ("%s", "1795262400", true),
    ("%s", "", false),
    ("day %j%%", "day 366%", true),
    ("day %j%%", "day 000%", false),
    ("%d%b%y", "21Nov26", true),
    ("%d%b%y", "21Nox26", false),
    ("%A", "Saturday", true),
  ])
  func aPatternKnowsItsNames(pattern: String, name: String, isItsOwn: Bool) throws {
    #expect(try (TimePattern(pattern).read(name) != nil) == isItsOwn)
  }

  @Test(arguments: ["%Y%m%d", "%d.%m.%Y", "%b %d %Y", "%j-%Y", "%s", "%d%B%y %T"])
  func namesOfLaterTimesReadAsLater(pattern: String) throws {
    let matcher = try TimePattern(pattern)
    var last: TimePattern.Reading = []
    for day in stride(from: Int64(0), to: 800, by: 9) {
      let fields = LocalTime.fields(at: Moment.test.wallSeconds + day * 86_400)
      let name = try #require(LocalTime.expand(pattern, fields))
      let reading = try #require(matcher.read(name), "\(name)")
      #expect(last.lexicographicallyPrecedes(reading), "\(name)")
      last = reading
    }
  }

  @Test func agesSortFinishedFilesByTimeThenByAttempt() {
    let naming = FileNaming(
      template: "/var/log/access-%d.log", expandsTime: true, compression: .gzip)
    let names = [
      "access-20.log.20261120T100000.gz", "access-20.log.20261120T100000-2.gz",
      "access-20.log.20261120T100000-10.gz", "access-20.log.20261120T110000.gz",
      "access-20.log.gz", "access-21.log.20261121T000000.gz", "access-21.log",
    ]
    let ages = names.compactMap(naming.age)
    #expect(ages.count == names.count)
    for (earlier, later) in zip(ages, ages.dropFirst()) { #expect(earlier < later) }
  }

  @Test(
    arguments: [
      ("access.log", nil, "access.log.T"), ("access.log", .gzip, "access.log.T.gz"),
      ("access.log.gz", .gzip, "access.log.T.gz"), ("access.log.gz", nil, "access.log.T.gz"),
      ("access.log", .zstd, "access.log.T.zst"), ("access.log.zst", .zstd, "access.log.T.zst"),
      ("access.log.zst", nil, "access.log.T.zst"), ("access.log.zst", .gzip, "access.log.zst.T.gz"),
      ("access.log.gz", .zstd, "access.log.gz.T.zst"),
    ] as [(String, CompressionFormat?, String)])
  func `a finished name ends in the format's suffix if the file is compressed`(
    current: String, compression: CompressionFormat?, finished: String
  ) throws {
    let naming = FileNaming(template: current, expandsTime: true, compression: compression)
    let fields = LocalTime.fields(at: Moment.test.wallSeconds)
    let time = try #require(LocalTime.expand("%Y%m%dT%H%M%S", fields))
    let name = naming.finished(current, at: Moment.test.wallSeconds, attempt: 1)
    let parts = finished.split(separator: "T", omittingEmptySubsequences: false)
    #expect(name == parts.joined(separator: time))
    #expect(naming.age(ofFileName: name) != nil)
    let third = naming.finished(current, at: Moment.test.wallSeconds, attempt: 3)
    #expect(third.contains("\(time)-3"))
  }
}
