import Glibc
import TestSupport
import Testing

@testable import Pictures

/// Compares the sketch with exact counts of made-up streams.
struct HeavyHittersTests {
  /// A stream whose keys have frequencies by Zipf's law.
  private struct ZipfStream {
    private let cumulated: [Double]
    private var random: SeededGenerator
    private(set) var counts: [Int]

    init(keys: Int, seed: UInt64) {
      var sum = 0.0
      cumulated = (1...keys).map { rank in
        sum += 1 / Double(rank)
        return sum
      }
      counts = [Int](repeating: 0, count: keys)
      random = SeededGenerator(seed: seed)
    }

    mutating func next() -> Int {
      let wanted = Double.random(in: 0..<cumulated[cumulated.count - 1], using: &random)
      var (low, high) = (0, cumulated.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if cumulated[middle] <= wanted { low = middle + 1 } else { high = middle }
      }
      counts[low] += 1
      return low
    }
  }

  private static func options(_ capacity: Int, mean: Int = 120) -> HeavyHitters.Options {
    var options = HeavyHitters.Options()
    (options.capacity, options.keyBytesMean) = (capacity, mean)
    return options
  }

  private static func add(
    _ key: String, kind: UInt8 = 0, _ figures: HeavyHitters.Figures = HeavyHitters.Figures(),
    to sketch: inout HeavyHitters
  ) {
    Array(key.utf8).withUnsafeBytes { sketch.add($0, kind: kind, figures) }
  }

  @Test func `of few keys every count is exact`() {
    var sketch = HeavyHitters(Self.options(64))
    var random = SeededGenerator(seed: 1)
    var counts: [String: Int] = [:]
    for _ in 0..<10_000 {
      let key = "/page/\(Int.random(in: 0..<60, using: &random))"
      counts[key, default: 0] += 1
      Self.add(key, to: &sketch)
    }
    let hitters = sketch.heaviest(.max)
    #expect(hitters.count == counts.count && sketch.floor == 0)
    for hitter in hitters {
      #expect(Int(hitter.count) == counts[String(decoding: hitter.key, as: UTF8.self)] && hitter.error == 0)
    }
    #expect(zip(hitters, hitters.dropFirst()).allSatisfy { $0.count >= $1.count })
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `of many keys the most frequent are found, and no count is off by more than is said`(
    seed: UInt64
  ) {
    let capacity = 2048
    var stream = ZipfStream(keys: 100_000, seed: seed)
    var sketch = HeavyHitters(Self.options(capacity))
    let total = 300_000
    for _ in 0..<total { Self.add("/page/\(stream.next())", to: &sketch) }
    let ranks = stream.counts.indices.sorted { stream.counts[$0] > stream.counts[$1] }
    // Any key that is as frequent as the hundredth may take its place.
    let hundredth = stream.counts[ranks[99]]
    let found = sketch.heaviest(100).map { Int(String(decoding: $0.key.dropFirst(6), as: UTF8.self)) ?? -1 }
    let missing = ranks.prefix(100).filter { stream.counts[$0] > hundredth && !found.contains($0) }
    #expect(missing.isEmpty, "\(missing)")
    for hitter in sketch.heaviest(.max) {
      let rank = Int(String(decoding: hitter.key.dropFirst(6), as: UTF8.self)) ?? 0
      let count = Double(stream.counts[rank])
      #expect(hitter.count <= count && count <= hitter.countMax, "\(rank): \(hitter), \(count)")
    }
    // No key outside the sketch is more frequent than the floor, and the floor is within the documented
    // bound.
    let held = Set(sketch.heaviest(.max).map { String(decoding: $0.key, as: UTF8.self) })
    let largest =
      stream.counts.indices.filter { !held.contains("/page/\($0)") }.map { stream.counts[$0] }.max() ?? 0
    #expect(Double(largest) <= sketch.floor)
    #expect(sketch.floor <= 4.0 / 3 * Double(total) / Double(capacity))
    #expect(sketch.count <= capacity && sketch.totalWeight == Double(total))
  }

  @Test
  func `keys that are all different are no more than there is room for, and none is said to be frequent`() {
    var sketch = HeavyHitters(Self.options(256))
    for number in 0..<50_000 { Self.add("/once/\(number)", to: &sketch) }
    #expect(sketch.count <= 256)
    #expect(sketch.heaviest(.max).allSatisfy { $0.count == 1 })
    #expect(sketch.floor <= 4.0 / 3 * 50_000 / 256)
  }

  @Test func `long keys take the room of several, are cut, and stay apart`() {
    var options = Self.options(64, mean: 60)
    options.keyBytesMax = 600
    var sketch = HeavyHitters(options)
    let long = String(repeating: "x", count: 5000)
    for _ in 0..<3 { Self.add(long + "a", to: &sketch) }
    for _ in 0..<2 { Self.add(long + "b", to: &sketch) }
    Self.add("", to: &sketch)
    let hitters = sketch.heaviest(.max)
    #expect(hitters.map(\.count) == [3, 2, 1])
    #expect(hitters.map(\.keyByteCount) == [5001, 5001, 0] && hitters[0].key.count == 600)
    // Any number of keys: memory is freed and reused.
    for number in 0..<5000 { Self.add("\(number)" + long, to: &sketch) }
    #expect(sketch.count <= 64)
    for hitter in sketch.heaviest(.max) { #expect(hitter.key.count <= 600) }
  }

  @Test func `kinds keep the same bytes apart`() {
    var sketch = HeavyHitters(Self.options(64))
    Self.add("GET", kind: 1, to: &sketch)
    Self.add("GET", kind: 2, to: &sketch)
    Self.add("GET", kind: 2, to: &sketch)
    #expect(sketch.heaviest(.max).map { [Int($0.kind), Int($0.count)] } == [[2, 2], [1, 1]])
  }

  @Test func `bytes, misses and times are those of the key`() throws {
    var sketch = HeavyHitters(Self.options(64))
    for number in 1...1000 {
      var figures = HeavyHitters.Figures()
      (figures.bytes, figures.microseconds, figures.isMiss) = (10, UInt64(number) * 100, number % 4 == 0)
      Self.add("/a", figures, to: &sketch)
      Self.add("/b", to: &sketch)
    }
    let hitters = sketch.heaviest(.max)
    let a = try #require(hitters.first { $0.key == Array("/a".utf8) })
    #expect(a.bytes == 10_000 && a.misses == 250)
    // The 990th of 1,000 values, with an error of at most an eighth.
    #expect(abs((a.p99 ?? 0) - 99_000) <= 99_000 / 8)
    #expect(hitters.first { $0.key == Array("/b".utf8) }?.p99 == nil)
  }

  @Test func `a key that came seventy thousand times keeps its times in proportion`() throws {
    var sketch = HeavyHitters(Self.options(64))
    for number in 0..<200_000 {
      var figures = HeavyHitters.Figures()
      figures.microseconds = number % 50 == 0 ? 1_000_000 : 100
      Self.add("/a", figures, to: &sketch)
    }
    let hitter = try #require(sketch.heaviest(1).first)
    #expect(abs((hitter.p99 ?? 0) - 1_000_000) <= 1_000_000 / 8 && hitter.count == 200_000)
  }

  @Test func `what fades counts for less, in proportion, for as long as ever`() {
    var sketch = HeavyHitters(Self.options(64))
    for _ in 0..<100 { Self.add("/old", to: &sketch) }
    for _ in 0..<200 { sketch.fade(to: 0.9) }
    for _ in 0..<10 { Self.add("/new", to: &sketch) }
    let hitters = sketch.heaviest(.max)
    #expect(hitters.first?.key == Array("/new".utf8) && abs(hitters[0].count - 10) < 1e-6)
    #expect(abs(hitters[1].count - 100 * pow(0.9, 200)) < 1e-9)
    #expect(abs(sketch.totalWeight - 10) < 1e-3)
  }
}
