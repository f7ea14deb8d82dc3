import TestSupport
import Testing

@testable import Pictures

struct HistogramTests {
  @Test(arguments: [2, 5]) func `a bucket's middle is within the stated part of all numbers in it`(bits: Int)
  {
    let buckets = LogBuckets(bits: bits, valueBits: 40)
    var random = SeededGenerator(seed: 7)
    for power in 0..<40 {
      for _ in 0..<200 {
        let number = UInt64.random(in: 1 << UInt64(power)..<2 << UInt64(power), using: &random)
        let index = buckets.index(of: number)
        #expect(buckets.lowerBound(of: index) <= number && number < buckets.lowerBound(of: index + 1))
        #expect(abs(buckets.middle(of: index) - Double(number)) <= Double(number) * buckets.relativeError)
      }
    }
    #expect(buckets.index(of: 0) == 0 && buckets.index(of: .max) == buckets.count - 1)
    // Every bucket begins where the one before it ends.
    #expect((1..<buckets.count).allSatisfy { buckets.index(of: buckets.lowerBound(of: $0)) == $0 })
  }

  @Test func `quantiles are within the stated part of the exact ones`() {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<20 {
      var histogram = Histogram()
      let count = Int.random(in: 1...5000, using: &random)
      var numbers: [UInt64] = []
      for _ in 0..<count {
        let power = Double.random(in: 0..<30, using: &random)
        numbers.append(
          UInt64(Double(sign: .plus, exponent: Int(power), significand: 1 + power - power.rounded(.down))))
      }
      for number in numbers { histogram.add(number, isHit: Bool.random(using: &random)) }
      numbers.sort()
      let picture = histogram.makePicture()
      for part in [0.001, 0.5, 0.9, 0.95, 0.99, 0.999, 1] {
        let exact = Double(numbers[max(1, Int((part * Double(count)).rounded(.up))) - 1])
        let found = picture.quantile(part) ?? -1
        #expect(abs(found - exact) <= exact * HistogramPicture.relativeError, "\(part) of \(count)")
      }
      #expect(picture.count == count && picture.largest == numbers.last)
    }
    #expect(HistogramPicture().quantile(0.5) == nil)
  }

  @Test func `intervals leave after five minutes, and the whole stays`() {
    let second: Int64 = 1_000_000_000
    var ring = HistogramRing(at: 0)
    ring.add(100, isHit: true)
    ring.advance(to: 65 * second)
    ring.add(200, isHit: false)
    #expect(ring.picture(of: 0..<6).count == 1 && ring.picture(of: 6..<12).count == 1)
    #expect(ring.picture(of: 0..<HistogramRing.intervalCount).hitCount == 1)
    ring.advance(to: 320 * second)
    #expect(ring.picture(of: 0..<HistogramRing.intervalCount).count == 1)
    ring.advance(to: 100_000 * second)
    #expect(ring.picture(of: 0..<HistogramRing.intervalCount).count == 0 && ring.makeTotal().count == 2)
  }

  @Test func `the chart has hits on top of the others, and what lies outside at its ends`() {
    var chart = HistChart(Measure("time", low: -1, high: 1), width: 8)
    chart.add(1e6 * 0.2, 4, hits: 1)
    chart.add(1e6 * 2, 2, hits: 2)
    chart.add(0, 1, hits: 0)
    chart.add(1e30, 1, hits: 1)
    #expect(chart.scale(rows: 5) == 1)
    #expect(
      chart.lines(rows: 5) == [
        "5_      ",
        " |      ",
        " #      ",
        " #   |  ",
        "##   | |",
        "+---+---",
        "|1e-|1e0",
      ])
    #expect(chart.scale(rows: 2) == 2 && chart.scale(rows: 1) == 3)
  }
}
