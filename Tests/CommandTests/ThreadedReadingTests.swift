import Glibc
import TestSupport
import Testing

/// A file read by several threads gives the same result as a file read by one.
@Suite(.enabled(if: Subject.isSpillway))
struct ThreadedReadingTests {
  private let home: TemporaryDirectory

  init() throws { home = try TemporaryDirectory() }

  /// How much of a file a thread takes at a time; the logs here consist of several such chunks.
  private static let chunkByteCount = 2 << 20

  /// The contents of a log besides usual traffic.
  enum Feature: CaseIterable {
    case nothing
    /// Transactions in pieces, mixed with others, and some without an end or a beginning.
    case pieces
    /// Only pieces, in which case threads leave the file to one.
    case interleaving
    /// Sessions, with pieces among requests; some have no end or no beginning.
    case sessions
    /// Texts that look like transactions.
    case disguises
    /// Transactions that extend beyond the end of a chunk, further than a chunk has room for.
    case giants
    /// Records of tags that have no meaning.
    case unknownTags
    /// A record in the middle that can't be in a log.
    case damage
    /// A file that ends within a record.
    case cut
    /// Requests with fragments and fetches, which refer to each other.
    case relatives
    /// Values that a server has probably cut, and later values that show that it hasn't.
    case longValues
  }

  @Test(arguments: Feature.allCases)
  func `output, messages and status are the same`(feature: Feature) async throws {
    try await onOwnThread { try examine(feature, .twoWord) }
  }

  @Test func `records of three words are no others`() async throws {
    try await onOwnThread { try examine(.disguises, .threeWord) }
  }

  private func examine(_ feature: Feature, _ layout: SampleLayout) throws {
    var random = SeededGenerator(seed: 301)
    try writeFile(home.file("log"), Self.log(feature, layout, &random))
    let commands = [
      ["ncsa", "--report", "1h"],
      ["ncsa", "-b", "-c", "-F", "%{Varnish:side}x %{Varnish:vxid}x %U %s %{X-Long}i"],
      ["ncsa", "-g", "request", "-b", "-c", "-F", "%{Varnish:vxid}x", "--report", "1h"],
      ["ncsa", "-j", "-F", #"{"u":"%U","t":%D}"#, "-q", "ReqURL ~ '7' or RespStatus >= 500"],
      ["ncsa", "-L", "20", "-F", "%{Varnish:vxid}x", "--report", "1h"],
      [
        "ncsa", "--sample", "1/3", "--output", "format=common", "--output",
        "format=json file=\(home.file("second"))",
      ],
    ]
    for command in commands {
      let results = try ["1", "4"].map { threads in
        let result = try ProcessRunner.run(
          Command(try Subject.found().path, command + ["-r", home.file("log"), "--threads", threads]))
        return (result, (try? readFile(home.file("second"))) ?? [])
      }
      let (first, firstFile) = results[0]
      try #require(first.output.count > 10_000, "\(command): \(first.errorText.prefix(500))")
      let (second, secondFile) = results[1]
      #expect(second.output == first.output, "\(command)")
      #expect(second.errorText == first.errorText, "\(command)")
      #expect(second.status == first.status && secondFile == firstFile, "\(command)")
    }
  }

  /// The threads block signals, except the one for accesses behind the end of a mapped file.
  @Test func `a file that becomes shorter while threads read it ends in an error`() async throws {
    try await onOwnThread {
      var random = SeededGenerator(seed: 302)
      let log = Self.log(.nothing, .twoWord, &random)
      try writeFile(home.file("log"), log)
      // A sleeping consumer holds back reading as soon as these lines have filled the spool.
      var command = Command(
        try Subject.found().path,
        ["ncsa", "-r", home.file("log"), "--threads", "4", "--spool-memory", "4M"]
          + ["-F", [String](repeating: "%{User-agent}i", count: 40).joined(separator: " ")])
      command.output = .unread
      let child = try ChildProcess(command)
      // The program has used processor time, and then none for a while.
      var (worked, since) = ("", ContinuousClock.now)
      let isHeldBack = try poll(until: .after(.seconds(60))) { () throws(SupportError) in
        let times = try readText("/proc/\(child.identifier)/stat").split(separator: " ")[13...14].joined(
          separator: " ")
        if times != worked { (worked, since) = (times, ContinuousClock.now) }
        return !worked.hasPrefix("0 ") && ContinuousClock.now - since > .milliseconds(300)
      }
      try #require(isHeldBack)
      try #require(truncate(home.file("log"), off_t(log.count / 3)) == 0)
      child.output?.wake()
      let end = try child.wait(by: .after(.seconds(60)))
      #expect(end.status == 1, "\(end) \(child.errorOutput?.text ?? "")")
    }
  }

  @Test func `a number of threads that can't be is refused`() throws {
    try writeFile(home.file("log"), LogFileBuilder(lines: "2 c Begin req 1 rxreq\n2 c End").bytes)
    for number in ["0", "17", "two", ""] {
      let result = try ProcessRunner.run(
        Command(try Subject.found().path, ["ncsa", "-r", home.file("log"), "--threads", number]))
      #expect(result.status == 1)
      #expect(result.errorText.contains("--threads: '\(number)': expected a number from 1 to 16"))
    }
  }

  // MARK: Logs

  /// A log of several chunks.
  private static func log(
    _ feature: Feature, _ layout: SampleLayout, _ random: inout SeededGenerator
  ) -> [UInt8] {
    let tags: SampleTags = layout == .twoWord ? .v7 : .v8
    // Made once and reused many times, because making records takes longer than reading them.
    let usual = (1...40).map { number in
      let first = UInt64(number * 40)
      guard feature == .interleaving else { return bytes(traffic(first, 8, tags, &random), layout) }
      let requests = (0..<8).map { traffic(first + UInt64($0) * 2, 1, tags, &random) }
      return bytes(interleaved(requests, &random), layout)
    }
    var log = layout.fileMagic
    var number: UInt64 = 10_000
    while log.count < 5 * chunkByteCount {
      for _ in 0..<Int.random(in: 5...40, using: &random) { log += usual.randomElement(using: &random) ?? [] }
      number += 1000
      let special = special(feature, number, tags, &random)
      // Giants begin shortly before the end of a chunk.
      if feature == .giants {
        while log.count % chunkByteCount < chunkByteCount - 100_000 {
          log += usual.randomElement(using: &random) ?? []
        }
      }
      if feature == .damage, log.count > 3 * chunkByteCount, log.count < 4 * chunkByteCount {
        return log + [UInt8](repeating: 0, count: 64) + log.dropFirst(layout.fileMagic.count)
      }
      log += bytes(special, layout)
    }
    if feature == .cut { log.removeLast(5) }
    return log
  }

  private static func bytes(_ records: [SampleRecord], _ layout: SampleLayout) -> [UInt8] {
    records.flatMap { LogFileBuilder.bytes(of: $0, layout) }
  }

  private static func record(
    _ vxid: UInt64, _ side: SampleRecord.Side, _ tag: String, _ text: String, _ tags: SampleTags
  ) -> SampleRecord {
    SampleRecord(vxid, side, tag: tags[tag], bytes: Array(text.utf8))
  }

  /// Makes `count` requests, half of them with a fetch.
  private static func traffic(
    _ first: UInt64, _ count: Int, _ tags: SampleTags, _ random: inout SeededGenerator
  ) -> [SampleRecord] {
    (0..<UInt64(count)).flatMap { index -> [SampleRecord] in
      let vxid = first + 2 * index
      let status = [200, 200, 304, 404, 503].randomElement(using: &random) ?? 200
      func add(_ tag: String, _ text: String) -> SampleRecord { record(vxid, .client, tag, text, tags) }
      var records = [
        add("Begin", "req 1 rxreq"), add("Timestamp", "Start: 1700000000.\(vxid) 0.0 0.0"),
        add("ReqStart", "192.0.2.\(vxid % 256) 1234 a0"), add("ReqMethod", "GET"),
        add(
          "ReqURL",
          "/\(vxid)/\(String(repeating: "p", count: Int.random(in: 0..<60, using: &random)))?q=\(index)"),
        add("ReqProtocol", "HTTP/1.1"), add("ReqHeader", "Host: www.example.com"),
        add(
          "ReqHeader",
          "User-Agent: \(String(repeating: "agent ", count: Int.random(in: 1..<12, using: &random)))"),
        add("VCL_call", "RECV"), add("VCL_return", "hash"), add("VCL_call", "HIT"),
        add("RespStatus", "\(status)"),
        add("RespHeader", "Age: 7"), add("Timestamp", "Resp: 1700000001.5 1.5 0.1"),
        add("ReqAcct", "100 0 100 200 500 700"),
      ]
      guard index % 2 == 0 else { return records + [add("End", "")] }
      let fetch = vxid + 1
      records.append(add("Link", "bereq \(fetch) fetch"))
      records.append(add("End", ""))
      func fetched(_ tag: String, _ text: String) -> SampleRecord { record(fetch, .backend, tag, text, tags) }
      return [
        fetched("Begin", "bereq \(vxid) fetch"), fetched("Timestamp", "Start: 1700000000.2 0.0 0.0"),
        fetched("BereqMethod", "GET"), fetched("BereqURL", "/\(vxid)"), fetched("BereqProtocol", "HTTP/1.1"),
        fetched("BereqHeader", "Host: www.example.com"), fetched("BerespStatus", "200"), fetched("End", ""),
      ] + records
    }
  }

  /// Mixes the records of several queues, in pieces, and keeps the order within each queue.
  private static func interleaved(
    _ queues: [[SampleRecord]], _ random: inout SeededGenerator
  ) -> [SampleRecord] {
    var queues = queues
    var records: [SampleRecord] = []
    while let index = queues.indices.filter({ !queues[$0].isEmpty }).randomElement(using: &random) {
      let count = min(Int.random(in: 1...7, using: &random), queues[index].count)
      records += queues[index].prefix(count)
      queues[index].removeFirst(count)
    }
    return records
  }

  private static func special(
    _ feature: Feature, _ number: UInt64, _ tags: SampleTags, _ random: inout SeededGenerator
  ) -> [SampleRecord] {
    func add(_ offset: UInt64, _ tag: String, _ text: String) -> SampleRecord {
      record(number + offset, .client, tag, text, tags)
    }
    switch feature {
    case .nothing, .interleaving, .damage, .cut: return []
    case .pieces:
      var queues = (0..<6).map { traffic(number + UInt64($0) * 20, 3, tags, &random) }
      queues[1].removeFirst()
      queues[2].removeLast()
      queues[3].removeAll { $0.tag == tags["End"] }
      return interleaved(queues, &random)
    case .sessions:
      // The new session has a beginning or not; the one before it continues, and the one before that ends.
      var records = [add(0, "SessOpen", "192.0.2.1 1234 a0 192.0.2.2 80 1700000000.5 20")]
      if Int.random(in: 0..<8, using: &random) > 0 { records.insert(add(0, "Begin", "sess 0 HTTP/1"), at: 0) }
      func former(_ distance: UInt64, _ tag: String, _ text: String) -> SampleRecord {
        record(number - distance * 1000, .client, tag, text, tags)
      }
      records.append(former(1, "Link", "req \(number + 1) rxreq"))
      if Int.random(in: 0..<8, using: &random) > 0 {
        records += [former(2, "SessClose", "REM_CLOSE 0.001"), former(2, "End", "")]
      }
      return records
    case .disguises:
      // A payload of whole records, long enough to be taken for a chain of records.
      let inner = bytes(
        traffic(number + 500, 40, tags, &random),
        tags["Begin"] == SampleTags.v7["Begin"] ? .twoWord : .threeWord)
      return [add(0, "Begin", "req 1 rxreq")]
        + (0..<20).map { _ in
          SampleRecord(number, .client, tag: tags["VCL_Log"], bytes: Array(inner.prefix(60_000)))
        }
        + [add(0, "ReqURL", "/disguise"), add(0, "End", "")]
    case .giants:
      let long = String(repeating: "x", count: 60_000)
      return [add(0, "Begin", "req 1 rxreq"), add(0, "ReqURL", "/giant")]
        + (0..<Int.random(in: 1...12, using: &random)).map { _ in add(0, "VCL_Log", long) }
        + [add(0, "RespStatus", "200"), add(0, "End", "")]
    case .unknownTags:
      return [
        add(0, "Begin", "req 1 rxreq"), SampleRecord(number, .client, tag: 241, bytes: [65]),
        add(0, "End", ""),
      ]
    case .relatives:
      return [
        add(1, "Begin", "req \(number) esi 1"), add(1, "ReqURL", "/fragment"), add(1, "End", ""),
        add(0, "Begin", "req 1 rxreq"), add(0, "ReqURL", "/page"), add(0, "Link", "req \(number + 1) esi 1"),
        add(0, "Link", "req \(number + 2) restart"), add(0, "VCL_return", "restart"), add(0, "End", ""),
        add(2, "Begin", "req \(number) restart"), add(2, "ReqURL", "/again"), add(2, "End", ""),
      ]
    case .longValues:
      let count = number > 50_000 && Int.random(in: 0..<10, using: &random) == 0 ? 300 : 254
      return [
        add(0, "Begin", "req 1 rxreq"), add(0, "ReqURL", "/" + String(repeating: "x", count: count - 1)),
        add(0, "End", ""),
      ]
    }
  }
}
