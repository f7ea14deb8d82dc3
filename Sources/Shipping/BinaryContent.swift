import Synchronization

/// What an output must know to write files of records instead of lines; told by whoever knows the records.
///
/// What a file begins with depends on the log, which may not be there yet when the output is opened; it is
/// needed when the first record is written.
public final class BinaryContent: Sendable {
  /// What a file begins with, and where its last whole record ends; nil if it is no file of records.
  public typealias Inspection = @Sendable (_ path: String) -> (marker: UInt32, wholeByteCount: Int)?

  let inspect: Inspection
  private let known = Atomic<UInt32>(0)

  /// Makes the content of files that `inspect` can tell from others.
  public init(_ inspect: @escaping Inspection) { self.inspect = inspect }

  /// Says what files begin with; from any thread, before the first record.
  ///
  /// - Returns: false if files have been begun otherwise already.
  public func begin(with marker: UInt32) -> Bool {
    let (isFirst, original) = known.compareExchange(
      expected: 0, desired: marker, ordering: .acquiringAndReleasing)
    return isFirst || original == marker
  }

  /// What files begin with; nil as long as nobody has said so.
  var marker: UInt32? {
    let marker = known.load(ordering: .acquiring)
    return marker == 0 ? nil : marker
  }

  /// The same as bytes; none as long as nobody has said so.
  var header: [UInt8] {
    guard let marker else { return [] }
    return withUnsafeBytes(of: marker.littleEndian, Array.init)
  }
}
