import VarnishLog

/// What a tag means for grouping, one byte for each number.
struct TagRoles {
  enum Role: UInt8 {
    case none
    case begin
    case link
    case end
  }

  let begin: UInt8, end: UInt8, link: UInt8
  /// The tag of diagnostics that readers add.
  let vsl: UInt8
  private let roles: [Role]

  init(_ table: TagTable) {
    // Every numbering has these four.
    begin = table.number(of: .begin) ?? 0
    end = table.number(of: .end) ?? 0
    link = table.number(of: .link) ?? 0
    vsl = table.number(of: .vsl) ?? 0
    var roles = [Role](repeating: .none, count: 256)
    roles[Int(begin)] = .begin
    roles[Int(end)] = .end
    roles[Int(link)] = .link
    self.roles = roles
  }

  subscript(tag: UInt8) -> Role { roles[Int(tag)] }
}

/// The last 64 numbers that were put in.
struct RecentNumbers {
  private var numbers = [UInt64](repeating: 0, count: 64)
  private var next = 0

  mutating func insert(_ number: UInt64) {
    numbers[next] = number
    next = (next + 1) & (numbers.count - 1)
  }

  func contains(_ number: UInt64) -> Bool { numbers.contains(number) }
}
