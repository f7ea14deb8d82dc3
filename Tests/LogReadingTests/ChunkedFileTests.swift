import LogReading
import SharedMemory
import TestSupport
import Testing
import VarnishLog

/// Reading a file's chunks and putting them together gives the same runs as reading the file in order.
struct ChunkedFileTests {
  /// A run of records, as it is handed over.
  struct Found: Equatable {
    let place: UInt64
    let byteCount: Int
    let isBracketed: Bool
  }

  /// The contents of a log.
  enum Kind: CaseIterable {
    /// Transactions, one after the other.
    case usual
    /// Pieces of transactions, mixed.
    case mixed
    /// Transactions of which some are larger than a chunk has room for.
    case large
    /// Payloads that contain whole records.
    case disguised
    /// Bytes in the middle that aren't records.
    case damaged
  }

  private static func transaction(
    _ vxid: UInt64, _ tags: SampleTags, _ random: inout SeededGenerator
  ) -> [SampleRecord] {
    func record(_ tag: String, _ text: String) -> SampleRecord {
      SampleRecord(vxid, .client, tag: tags[tag], bytes: Array(text.utf8))
    }
    return [record("Begin", "req 1 rxreq")]
      + (0..<Int.random(in: 0..<25, using: &random)).map { _ in
        record("ReqHeader", "X: " + String(repeating: "x", count: Int.random(in: 0..<90, using: &random)))
      } + [record("End", "")]
  }

  private static func log(
    _ kind: Kind, _ layout: SampleLayout, _ random: inout SeededGenerator
  ) -> LogFileBuilder {
    var log = LogFileBuilder(layout)
    let tags = log.tags
    for number in 1...150 {
      let vxid = UInt64(number * 2)
      var records = transaction(vxid, tags, &random)
      switch kind {
      case .usual: break
      case .mixed:
        let other = transaction(vxid + 1, tags, &random)
        records = zip(records, other).flatMap { [$0, $1] } + records.dropFirst(other.count)
      case .large where number % 20 == 0:
        records.insert(
          contentsOf: (0..<12).map { _ in
            SampleRecord(vxid, .client, tag: tags["VCL_Log"], bytes: [UInt8](repeating: 65, count: 1500))
          }, at: 1)
      case .disguised where number % 5 == 0:
        let inner = (0..<3).flatMap { _ in transaction(vxid + 1, tags, &random) }
        let bytes = inner.flatMap { LogFileBuilder.bytes(of: $0, layout) }
        records.insert(SampleRecord(vxid, .client, tag: tags["VCL_Log"], bytes: bytes), at: 1)
      case .damaged where number == 75: log.add(raw: [UInt8](repeating: 0, count: 40))
      default: break
      }
      for record in records { log.add(record) }
    }
    return log
  }

  private static func inOrder<Layout: RecordLayout>(
    _ source: inout FileRecords<Layout>
  ) -> [Found] {
    var found: [Found] = []
    while case .records(let run)? = try? source.next() {
      found.append(Found(place: run.place, byteCount: run.byteCount, isBracketed: run.isBracketed))
    }
    return found
  }

  /// Reads the chunks, each from its guessed beginning if the guess is right.
  private static func inChunks<Layout: RecordLayout>(
    _ file: ChunkedFile<Layout>, _ tags: TagTable
  ) throws -> (found: [Found], guesses: Int, chunks: Int) {
    var picks = RunPicks<Layout>(tags)
    defer { picks.deallocate() }
    var (found, guesses, chunks) = ([Found](), 0, 0)
    var place: UInt64 = 4
    while Int(place) < file.byteCount {
      let index = file.index(of: place)
      var isGuess = false
      if let guess = try file.chunk(at: index, from: nil, picks) { isGuess = guess.start == place }
      guard var chunk = try file.chunk(at: index, from: isGuess ? nil : place, picks) else { break }
      chunks += 1
      if isGuess { guesses += 1 }
      #expect(chunk.start == place)
      while let run = chunk.next(&picks) {
        found.append(Found(place: run.place, byteCount: run.byteCount, isBracketed: run.isBracketed))
        let again = chunk.run(at: run.place, byteCount: run.byteCount, shape: run.shape)
        #expect(again.start == run.start && chunk.offset(of: run.start) == Int(run.place))
      }
      if chunk.isCut { break }
      #expect(chunk.end > place)
      place = chunk.end
    }
    return (found, guesses, chunks)
  }

  @Test(arguments: Kind.allCases, SampleLayout.allCases)
  func `they give the same runs, of whatever size they are`(kind: Kind, layout: SampleLayout) throws {
    var random = SeededGenerator(seed: 77)
    let directory = try TemporaryDirectory()
    let path = directory.file("log.vsl")
    for chunkByteCount in [512, 1024, 4096, 20_000] {
      let log = Self.log(kind, layout, &random)
      try log.write(to: path)
      let file = try LogFile(path: path)
      let (expected, result): ([Found], (found: [Found], guesses: Int, chunks: Int))
      switch layout {
      case .twoWord:
        var source = FileRecords<NarrowRecords>(file, assuming: nil)
        try source.begin()
        guard let chunks = source.chunks(of: chunkByteCount, overlap: 8192) else {
          throw SupportError("not mapped")
        }
        expected = Self.inOrder(&source)
        result = try Self.inChunks(chunks, TagTable(source.numbering))
      case .threeWord:
        var source = FileRecords<WideRecords>(file, assuming: nil)
        try source.begin()
        guard let chunks = source.chunks(of: chunkByteCount, overlap: 8192) else {
          throw SupportError("not mapped")
        }
        expected = Self.inOrder(&source)
        result = try Self.inChunks(chunks, TagTable(source.numbering))
      }
      #expect(result.found == Array(expected.prefix(result.found.count)), "\(random)")
      switch kind {
      // A transaction without an `End` at the end of the file isn't handed over here: only the caller knows
      // that the file ends there.
      case .usual, .mixed, .disguised: #expect(result.found.count >= expected.count - 1, "\(random)")
      case .large, .damaged: #expect(result.found.count > expected.count / 20, "\(random)")
      }
      // The first chunk's beginning is known; most of the others have to be guessed.
      if kind == .usual { #expect(result.guesses >= result.chunks - 1, "\(random)") }
    }
  }

  @Test(arguments: [false, true])
  func `a transaction isn't divided where what is in memory of a file ends`(isCompressed: Bool) throws {
    var random = SeededGenerator(seed: 78)
    let directory = try TemporaryDirectory()
    let log = Self.log(.usual, .twoWord, &random)
    // More than is mapped or decoded at a time.
    let all = log.bytes + (0..<60).flatMap { _ in log.bytes.dropFirst(4) }
    #expect(all.count > 6 << 20)
    let path = directory.file("log.vsl")
    try writeFile(path, isCompressed ? Compressor.gzip.compress(all) : all)
    var source = FileRecords<NarrowRecords>(try LogFile(path: path), assuming: nil)
    try source.begin()
    let found = Self.inOrder(&source)
    #expect(found.count == 61 * 150)
    #expect(found.allSatisfy { $0.isBracketed }, "\(random)")
  }
}
