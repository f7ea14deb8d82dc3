import CShims
import Glibc

/// The arguments with which the program was started.
enum ProgramArguments {
  /// The arguments, the program's name first; empty if the program was started without a name.
  ///
  /// An argument is a sequence of bytes; those that aren't UTF-8 are kept, see `argumentBytes`.
  static var all: [String] {
    (0..<shim_argument_count()).compactMap { index in
      unsafe shim_argument(index).map {
        unsafe String(argument: Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))))
      }
    }
  }
}

extension String {
  /// The scalar for byte 0: bytes that aren't UTF-8 are represented by scalars at the end of the last
  /// private-use plane, this one plus the byte's value.
  private static let firstStandIn: UInt32 = 0x10FF00
  private static let standIns: ClosedRange<UInt32> = 0x10FF80...0x10FFFF

  /// A text that keeps every byte of an argument; the parser takes only text.
  init(argument bytes: [UInt8]) {
    var text = String.UnicodeScalarView()
    var decoder = UTF8()
    var rest = bytes[...].makeIterator()
    var at = 0
    func keep(_ byte: UInt8) {
      if let scalar = Unicode.Scalar(Self.firstStandIn + UInt32(byte)) { text.append(scalar) }
    }
    decoding: while true {
      switch decoder.decode(&rest) {
      case .emptyInput: break decoding
      case .scalarValue(let scalar):
        let count = UTF8.width(scalar)
        if Self.standIns.contains(scalar.value) {
          bytes[at..<at + count].forEach(keep)
        } else {
          text.append(scalar)
        }
        at += count
      case .error:
        // Continue after the first byte, even if the decoder has consumed more.
        keep(bytes[at])
        at += 1
        decoder = UTF8()
        rest = bytes[at...].makeIterator()
      }
    }
    self.init(text)
  }

  /// The bytes of the argument that this text was made of.
  var argumentBytes: [UInt8] {
    guard hasStrayBytes else { return Array(utf8) }
    return unicodeScalars.flatMap { scalar in
      Self.standIns.contains(scalar.value)
        ? [UInt8(scalar.value - Self.firstStandIn)] : Array(String(scalar).utf8)
    }
  }

  /// Whether the argument that this text was made of isn't UTF-8.
  var hasStrayBytes: Bool { unicodeScalars.contains { Self.standIns.contains($0.value) } }

  /// The text for a message: bytes that aren't UTF-8 as `\xNN`.
  var shownAsArgument: String {
    guard hasStrayBytes else { return self }
    return unicodeScalars.map { scalar in
      guard Self.standIns.contains(scalar.value) else { return String(scalar) }
      return "\\x" + String(scalar.value - Self.firstStandIn, radix: 16)
    }.joined()
  }
}
