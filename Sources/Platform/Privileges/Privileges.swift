import CShims
package import Glibc

/// Why privileges couldn't be given up; the description is one line.
///
/// After a failed step the process must end: it has neither all its privileges nor those of the account.
package enum PrivilegesError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Only root can become another user.
  case notRoot(asking: uid_t)
  /// Becoming root gives nothing up.
  case superuser
  /// The account's groups couldn't be found.
  case account(AccountError)
  /// A step failed.
  case step(String, Errno)
  /// The system reported success, but privileges are left.
  case regained(String)

  /// One line about the error.
  package var description: String {
    switch self {
    case .notRoot(let user): "only root can become another user, and this is user \(user)"
    case .superuser: "becoming root gives up nothing; another user is needed"
    case .account(let error): error.description
    case .step(let step, let error): "\(step): \(error)"
    case .regained(let what): "privileges were given up, but \(what)"
    }
  }
}

/// The privileges of a process started as root, and how it gives them up.
package enum Privileges {
  /// Whether this process runs as root, and so has privileges to give up.
  package static var isRoot: Bool { geteuid() == 0 }

  /// Changes to an account for good, and verifies that there is no way back.
  ///
  /// User and groups change for all threads: glibc's calls do this by a signal of their own that each thread
  /// answers. Inheritable capabilities, and the promise to gain none by executing a program, are kept per
  /// thread; so call this before other threads are started, which inherit them from this one.
  ///
  /// Commands started afterwards find `HOME`, `USER` and `LOGNAME` of the account, as after a login, and can
  /// gain no privileges by `sudo` and the like.
  ///
  /// - Parameter extraGroups: groups that the process needs besides the account's own, such as the log's.
  package static func drop(to account: Account, extraGroups: [gid_t] = []) throws(PrivilegesError) {
    guard isRoot else { throw .notRoot(asking: geteuid()) }
    guard account.user != 0 else { throw .superuser }
    var groups: [gid_t] = []
    do throws(AccountError) {
      for group in try account.supplementaryGroups + extraGroups where !groups.contains(group) {
        groups.append(group)
      }
    } catch {
      throw .account(error)
    }
    try step("give up inheritable privileges") { shim_forgo_inheritance() }
    try step("set the groups") { unsafe shim_set_groups(groups, groups.count) }
    try step("become group \(account.group)") { shim_set_group(account.group) }
    try step("become user \(account.user)") { shim_set_user(account.user) }
    try step("give up capabilities") { shim_clear_capabilities() }
    try step("forbid new privileges") { shim_forbid_new_privileges() }
    try verify(account)
    if let home = account.home { unsafe setenv("HOME", home, 1) }
    if let name = account.name {
      unsafe setenv("USER", name, 1)
      unsafe setenv("LOGNAME", name, 1)
    }
  }

  private static func step(_ name: String, _ call: () -> Int32) throws(PrivilegesError) {
    guard call() == 0 else { throw .step(name, Errno(errno)) }
  }

  private static func verify(_ account: Account) throws(PrivilegesError) {
    guard shim_has_only(account.user, account.group) == 1 else {
      throw .regained("another user, group or capability is left")
    }
    if shim_set_user(0) == 0 { throw .regained("this process could become root again") }
    if account.group != 0, shim_set_group(0) == 0 {
      throw .regained("this process could become root's group again")
    }
    if unsafe shim_set_groups([0], 1) == 0 { throw .regained("this process could join groups again") }
  }
}
