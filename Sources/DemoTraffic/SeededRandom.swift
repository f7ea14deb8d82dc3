import Glibc

/// Random numbers that depend on the seed alone, and are the same on every machine.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// True with a probability in percent.
  mutating func chance(_ percent: Int) -> Bool { number(in: 0..<100) < percent }

  mutating func number(in range: Range<Int>) -> Int { Int.random(in: range, using: &self) }

  /// One of the elements, all with the same probability.
  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[number(in: 0..<elements.count)]
  }

  /// A number below `count`; small ones are much more likely, as popular resources are requested often.
  mutating func popular(_ count: Int) -> Int {
    let place = Double.random(in: 0..<1, using: &self)
    return Int(place * place * place * Double(count))
  }

  /// A time in microseconds near the usual one, and rarely very much longer.
  mutating func latency(_ usual: Int) -> Int {
    let bell = (0..<6).reduce(-3.0) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
    let tail = chance(2) ? Double.random(in: 4..<20, using: &self) : 1
    return max(1, Int(Double(usual) * exp(bell * 0.9) * tail))
  }

  /// Text of lower-case hexadecimal digits.
  mutating func hexadecimal(_ count: Int) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: (0..<count).map { _ in digits[number(in: 0..<16)] }, as: UTF8.self)
  }
}
