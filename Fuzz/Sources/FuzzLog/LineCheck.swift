import FuzzSupport

/// The requirements for every line.
struct LineCheck {
  let shape: FormatShelf.Shape

  /// Ends the process if a line isn't as its format promises.
  func examine(_ line: UnsafeRawBufferPointer) {
    require(line.last == UInt8(ascii: "\n"), "a line without its end")
    let text = UnsafeRawBufferPointer(rebasing: line.dropLast())
    switch shape {
    case .anything: break
    case .oneLine: require(!text.contains(UInt8(ascii: "\n")), "two lines in one: \(show(text))")
    case .text:
      require(String(validating: text, as: UTF8.self) != nil, "no UTF-8: \(show(text))")
      require(!text.contains { $0 < 0x20 || $0 == 0x7F }, "a control character: \(show(text))")
    case .printable:
      require(text.allSatisfy { (0x20...0x7E).contains($0) }, "a byte that isn't escaped: \(show(text))")
    case .json:
      require(String(validating: text, as: UTF8.self) != nil, "JSON that isn't UTF-8: \(show(text))")
      require(JSONSyntax.isValue(text), "no JSON: \(show(text))")
    }
  }

  private func show(_ text: UnsafeRawBufferPointer) -> String {
    String(decoding: text, as: UTF8.self).debugDescription
  }
}
