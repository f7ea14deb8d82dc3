import Compression
import TestSupport
import Testing

/// Other decompressors can read what the program compresses.
@Suite struct PartCompressorTests {
  /// A format, a level, and a library that supports both.
  struct Way: CustomTestStringConvertible {
    let method: CompressionMethod
    var testDescription: String { "\(method.library.rawValue) \(method.format) \(method.level)" }
  }

  static let ways: [Way] = CompressionFormat.allCases.flatMap { format in
    format.levels.flatMap { level in
      CompressionLibrary.allCases.compactMap { library in
        CompressionMethod(format, level: level, by: library).map(Way.init)
      }
    }
  }

  private static let text = Array(
    (0..<3000).map { "192.0.2.\($0 % 250) GET /article/\($0 * 7919 % 1000) 200 \($0 * 104_729 % 9973)\n" }
      .joined().utf8)

  private static let noise: [UInt8] = {
    var generator = SeededGenerator(seed: 11)
    return (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }()

  private func part(_ bytes: [UInt8], _ compressor: PartCompressor) throws -> [UInt8] {
    try #require(bytes.withUnsafeBytes { compressor.compress($0) })
  }

  private func expanded(_ bytes: [UInt8], _ format: CompressionFormat) throws -> [UInt8] {
    var command = Command(format.rawValue, ["-dc"])
    command.input = .bytes(bytes)
    let result = try ProcessRunner.run(command)
    #expect(result.status == 0, "\(result.errorText)")
    return result.output
  }

  @Test(arguments: ways)
  func `parts are whole, and one may follow another`(way: Way) async throws {
    try await onOwnThread {
      let compressor = try #require(PartCompressor(way.method))
      let pieces = [Self.text, [10], Self.noise, Array("last\n".utf8)]
      let parts = try pieces.map { try part($0, compressor) }
      #expect(try expanded(parts.flatMap(\.self), way.method.format) == pieces.flatMap(\.self))
      #expect(parts[0].count < Self.text.count / 3)
      #expect(parts[2].count < Self.noise.count + 1000, "what can't get smaller hardly gets larger")
    }
  }

  @Test(arguments: ways)
  func `the first part takes in an empty one in front of it`(way: Way) async throws {
    try await onOwnThread {
      let (compressor, format) = (try #require(PartCompressor(way.method)), way.method.format)
      for text in [Self.text, [10], Self.noise, Array(Self.text.prefix(300))] {
        let part = try part(text, compressor)
        let apart = format.emptyPart + part
        let beginning = try #require(format.joinedBeginning(part))
        let joined = beginning + apart.dropFirst(beginning.count)
        #expect(joined.count == apart.count)
        #expect(try expanded(apart, format) == text)
        #expect(try expanded(joined, format) == text)
        #expect(format.isJoined(Array(joined.prefix(64))))
        #expect(!format.isJoined(Array(apart.prefix(64))) && !format.isJoined(Array(part.prefix(64))))
      }
      #expect(try expanded(format.emptyPart, format) == [])
    }
  }

  @Test func `the fastest library that is there is taken`() {
    for level in 1...9 {
      let library = CompressionMethod.gzip(level: level).library
      let better = CompressionLibrary.allCases.prefix { $0 != library }
      #expect(better.allSatisfy { !$0.isAvailable || !$0.can(.gzip, level: level) })
    }
    #expect(CompressionMethod.zstd(level: 3).library == .zstd)
    #expect(CompressionMethod(.gzip, level: 4, by: .isal) == nil)
    #expect(CompressionMethod(.zstd, level: 1, by: .zlib) == nil)
  }
}
