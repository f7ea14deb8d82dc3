/// The form in which positions are stored: a line of ASCII, in decimal.
///
/// ```
/// 1 file DEVICE INODE PLACE
/// 1 ring DEVICE INODE PID BIRTH PLACE
/// ```
///
/// The first number is the version of the form. There is one text for a position: no sign, zero or blank more
/// than shown is read.
extension LogPosition: LosslessStringConvertible {
  private static let version = "1"

  /// The text to be stored.
  public var description: String {
    let file = "\(incarnation.device) \(incarnation.inode)"
    guard let writer = incarnation.writer else { return "\(Self.version) file \(file) \(place)" }
    return "\(Self.version) ring \(file) \(writer.pid) \(writer.birth) \(place)"
  }

  /// Reads a stored text; nil if it is anything else than what `description` gives, or of another version.
  public init?(_ description: String) {
    // The longest has two words, two blanks and five numbers, none of more than 20 digits.
    guard description.utf8.count <= 128 else { return nil }
    let fields = description.split(separator: " ", omittingEmptySubsequences: false)
    guard fields.count >= 5, fields[0] == Self.version,
      let device = Self.number(fields[2], as: UInt64.self),
      let inode = Self.number(fields[3], as: UInt64.self),
      let place = Self.number(fields[fields.count - 1], as: UInt64.self), place <= Self.placeMax
    else { return nil }
    let writer: LogIncarnation.Writer?
    switch (fields[1], fields.count) {
    case ("file", 5): writer = nil
    case ("ring", 7):
      guard let pid = Self.number(fields[4], as: Int32.self),
        let birth = Self.number(fields[5], as: Int64.self)
      else { return nil }
      writer = LogIncarnation.Writer(pid: pid, birth: birth)
    default: return nil
    }
    self.init(LogIncarnation(device: device, inode: inode, writer: writer), place: place)
  }

  /// A number in the one form that it is written in.
  private static func number<Number: FixedWidthInteger & LosslessStringConvertible>(
    _ text: Substring, as _: Number.Type
  ) -> Number? {
    guard let number = Number(text), number.description == text else { return nil }
    return number
  }
}
