/// A number that is measured of each transaction.
package struct Measure: Sendable, Equatable {
  /// The measure's name.
  package let name: String
  /// Whether it is a time, which is shown with its unit.
  package let isTime: Bool
  /// The powers of ten between which it is drawn.
  package let low: Int, high: Int

  /// Defines a measure.
  package init(_ name: String, isTime: Bool = true, low: Int = -6, high: Int = 3) {
    (self.name, self.isTime, self.low, self.high) = (name, isTime, low, high)
  }

  /// The time until the first byte of the response was sent.
  package static let firstByte = Measure("ttfb")
  /// The time until the last byte of the response was sent.
  package static let total = Measure("total")
  /// The time from the beginning of a fetch to the beginning of the backend's response.
  package static let backend = Measure("backend")
}
