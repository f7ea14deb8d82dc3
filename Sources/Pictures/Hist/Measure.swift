/// Something that is measured of transactions.
package struct Measure: Sendable, Equatable {
  /// What it is called.
  package let name: String
  /// The unit of what is shown, behind the number: seconds, or nothing.
  package let isTime: Bool
  /// Between which powers of ten it is drawn.
  package let low: Int, high: Int

  /// Something that is measured.
  package init(_ name: String, isTime: Bool = true, low: Int = -6, high: Int = 3) {
    (self.name, self.isTime, self.low, self.high) = (name, isTime, low, high)
  }

  /// Until the first byte of an answer was sent.
  package static let firstByte = Measure("ttfb")
  /// Until the last one was.
  package static let total = Measure("total")
  /// From the beginning of a fetch until the backend's answer began.
  package static let backend = Measure("backend")
}
