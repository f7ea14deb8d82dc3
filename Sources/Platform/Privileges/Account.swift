package import Glibc

/// Why a text doesn't name an account; the description is one line.
package enum AccountError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The text is not `NAME[:GROUP]`.
  case malformed(String)
  /// There is no user of this name or number.
  case unknownUser(String)
  /// There is no group of this name or number.
  case unknownGroup(String)
  /// A number that isn't in the system's list of users: its group must be given.
  case noGroup(String)
  /// The look-up failed.
  case lookup(String, Errno)

  /// One line about the error.
  package var description: String {
    switch self {
    case .malformed(let text): "\(text): is not NAME or NAME:GROUP"
    case .unknownUser(let name): "\(name): there is no such user"
    case .unknownGroup(let name): "\(name): there is no such group"
    case .noGroup(let name):
      "\(name): no user in the system's list has this number, so a group is needed: \(name):GROUP"
    case .lookup(let name, let error): "\(name): look up: \(error)"
    }
  }
}

/// A user and a group that a process can change to.
package struct Account: Equatable, Sendable {
  /// The user's name; nil if it isn't in the system's list.
  package var name: String?
  /// The user's number.
  package var user: uid_t
  /// The group's number: the one given, or else the user's own.
  package var group: gid_t
  /// The user's home directory, if the system's list has one.
  package var home: String?

  /// Looks up `NAME[:GROUP]`, names or numbers.
  ///
  /// A text of digits is looked up as a name first. May wait for a name server: call it at the start.
  package init(_ text: String) throws(AccountError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard !parts[0].isEmpty, parts.count == 1 || !parts[1].isEmpty, !text.utf8.contains(0) else {
      throw .malformed(text)
    }
    let entry = try Self.user(parts[0])
    name = entry?.name
    home = entry?.home
    guard let user = entry?.user ?? Self.number(parts[0]) else { throw .unknownUser(parts[0]) }
    self.user = user
    if parts.count == 2 {
      guard let group = try Self.group(parts[1]) ?? Self.number(parts[1]) else {
        throw .unknownGroup(parts[1])
      }
      self.group = group
    } else if let entry {
      group = entry.group
    } else {
      throw .noGroup(parts[0])
    }
  }

  /// The supplementary groups that the user gets at a login.
  package var supplementaryGroups: [gid_t] {
    get throws(AccountError) {
      guard let name else { return [] }
      var groups = [gid_t](repeating: 0, count: 64)
      while true {
        var count = Int32(groups.count)
        if unsafe getgrouplist(name, group, &groups, &count) >= 0 { return Array(groups.prefix(Int(count))) }
        guard groups.count < 1 << 17 else { throw .lookup(name, Errno(E2BIG)) }
        groups = [gid_t](repeating: 0, count: max(Int(count), groups.count * 2))
      }
    }
  }

  // MARK: The system's lists

  private struct Entry {
    let name: String, home: String
    let user: uid_t, group: gid_t
  }

  private static func user(_ text: String) throws(AccountError) -> Entry? {
    unsafe try lookUp(text) { (buffer: UnsafeMutableBufferPointer<CChar>) in
      var entry = unsafe passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard let memory = buffer.baseAddress else { return (ENOMEM, nil) }
      let code = unsafe getpwnam_r(text, &entry, memory, buffer.count, &found)
      guard unsafe found == nil else { return unsafe (0, read(entry)) }
      guard code == 0 || isAbsence(code), let number = number(text) else { return (code, nil) }
      let second = unsafe getpwuid_r(number, &entry, memory, buffer.count, &found)
      return unsafe (second, found == nil ? nil : read(entry))
    }
  }

  private static func read(_ entry: passwd) -> Entry {
    // Copied: the strings are in the buffer, which is freed after the look-up.
    unsafe Entry(
      name: entry.pw_name.map { unsafe String(cString: $0) } ?? "",
      home: unsafe entry.pw_dir.map { unsafe String(cString: $0) } ?? "/", user: unsafe entry.pw_uid,
      group: unsafe entry.pw_gid)
  }

  private static func group(_ text: String) throws(AccountError) -> gid_t? {
    unsafe try lookUp(text) { (buffer: UnsafeMutableBufferPointer<CChar>) in
      var entry = unsafe Glibc.group()
      var found: UnsafeMutablePointer<Glibc.group>?
      guard let memory = buffer.baseAddress else { return (ENOMEM, nil) }
      let code = unsafe getgrnam_r(text, &entry, memory, buffer.count, &found)
      return unsafe (code, found == nil ? nil : entry.gr_gid)
    }
  }

  /// Looks up an entry with a buffer of the size that it needs: a group has a name for each of its members.
  private static func lookUp<Value>(
    _ text: String, _ body: (UnsafeMutableBufferPointer<CChar>) -> (code: Int32, value: Value?)
  ) throws(AccountError) -> Value? {
    var byteCount = 4096
    while true {
      let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: byteCount)
      defer { unsafe buffer.deallocate() }
      let (code, value) = unsafe body(buffer)
      if let value { return value }
      switch code {
      case EINTR: continue
      case ERANGE where byteCount < 64 << 20: byteCount *= 2
      case _ where code == 0 || isAbsence(code): return nil
      default: throw .lookup(text, Errno(code))
      }
    }
  }

  /// Services of the C library differ in how they report that a list has no such entry.
  private static func isAbsence(_ code: Int32) -> Bool { [ENOENT, ESRCH, EBADF, EPERM].contains(code) }

  /// The number of a user or group; the largest one stands for "unchanged", and isn't valid.
  private static func number(_ text: String) -> UInt32? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = UInt32(text), number != .max
    else { return nil }
    return number
  }
}
