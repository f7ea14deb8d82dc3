import CShims
import Glibc

/// Why a process couldn't be limited although the kernel supports it; the description is one line.
package struct SandboxError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was attempted.
  package let operation: String
  /// The path concerned, if there is one.
  package let path: String?
  /// The system's error.
  package let error: Errno

  /// One line about the error.
  package var description: String {
    "sandbox: \(path.map { "\($0): " } ?? "")\(operation): \(error)"
  }
}

/// The result of applying a plan.
package struct SandboxResult: Equatable, Sendable {
  /// The version of the kernel's interface that was used; 0 if the kernel has none, and nothing is limited.
  package var interface: Int
  /// What the kernel lacks, each as half a sentence; for a message at higher verbosity.
  package var lacks: [String]
  /// Paths of the plan that don't exist or can't be looked up, so that nothing is allowed there.
  package var missingPaths: [String]
  /// How many threads were running already, which are not limited.
  package var otherThreadCount: Int

  /// A result with these values.
  package init(interface: Int, lacks: [String], missingPaths: [String] = [], otherThreadCount: Int = 0) {
    self.interface = interface
    self.lacks = lacks
    self.missingPaths = missingPaths
    self.otherThreadCount = otherThreadCount
  }

  /// Whether anything is limited.
  package var isActive: Bool { interface > 0 }

  /// The summary as one line for a message.
  package var description: String { "sandbox: \(summary)" }

  /// What limits the process, and what the kernel lacks.
  package var summary: String {
    let lacks = lacks.joined(separator: "; ")
    return isActive
      ? "Landlock, interface \(interface)" + (lacks.isEmpty ? "" : "; this kernel \(lacks)")
      : "none; this kernel \(lacks)"
  }
}

/// Limits this process by the kernel's Landlock, for good.
///
/// Nothing lifts the limits, and every command that is started has them, too.
package enum Sandbox {
  private typealias Rights = UInt64

  /// Applies a plan to the calling thread, and to the threads and processes that it starts from now on.
  ///
  /// So call this when everything else is open, and before the first thread is started; threads that run
  /// already are not limited, but counted in the result. No program that is executed gains privileges from
  /// then on.
  ///
  /// - Parameter interfaceMax: the highest interface version to use, for tests.
  /// - Throws: `SandboxError` if a kernel with the interface refuses; then nothing is limited.
  package static func enter(_ plan: SandboxPlan, interfaceMax: Int = .max) throws(SandboxError)
    -> SandboxResult
  {
    let interface = min(Int(shim_sandbox_interface()), interfaceMax)
    var result = SandboxResult(
      interface: interface, lacks: lacks(of: interface), otherThreadCount: otherThreadCount)
    guard interface > 0 else { return result }
    let known = fileRights(of: interface)
    let rules = shim_sandbox_begin(
      known, networkRights(of: interface, plan), scopes(of: interface, plan))
    guard rules >= 0 else {
      throw SandboxError(operation: "make the rules", path: nil, error: Errno(errno))
    }
    defer { close(rules) }
    for (paths, rights) in allowances(plan) {
      for path in paths {
        if unsafe shim_sandbox_allow(rules, path, rights & known) == 0 { continue }
        switch errno {
        case ENOENT, ENOTDIR: result.missingPaths.append(path)
        // A path that can't even be looked up can't be used either.
        case EACCES: result.missingPaths.append(path)
        default: throw SandboxError(operation: "allow", path: path, error: Errno(errno))
        }
      }
    }
    guard shim_forbid_new_privileges() == 0 else {
      throw SandboxError(operation: "forbid new privileges", path: nil, error: Errno(errno))
    }
    guard shim_sandbox_enter(rules) == 0 else {
      throw SandboxError(operation: "enter", path: nil, error: Errno(errno))
    }
    return result
  }

  // MARK: What a kernel knows

  private static func fileRights(of interface: Int) -> Rights {
    // All rights up to the making of links; the later ones follow one by one.
    var rights = Rights(shim_sandbox_refer) - 1
    if interface >= 2 { rights |= Rights(shim_sandbox_refer) }
    if interface >= 3 { rights |= Rights(shim_sandbox_truncate) }
    if interface >= 5 { rights |= Rights(shim_sandbox_device_control) }
    return rights
  }

  /// The rights that are refused, for all ports: binding, and connecting unless the plan allows it.
  private static func networkRights(of interface: Int, _ plan: SandboxPlan) -> Rights {
    guard interface >= 4 else { return 0 }
    return Rights(shim_sandbox_bind_tcp)
      | (plan.connects ? 0 : Rights(shim_sandbox_connect_tcp))
  }

  /// Commands that are started are within the same limits, so signals reach them; a check whether another
  /// process lives fails with EPERM, which tells that it does.
  private static func scopes(of interface: Int, _ plan: SandboxPlan) -> UInt64 {
    guard interface >= 6 else { return 0 }
    return UInt64(shim_sandbox_scope_signals)
      | (plan.reachesAbstractSockets ? 0 : UInt64(shim_sandbox_scope_abstract_sockets))
  }

  private static func lacks(of interface: Int) -> [String] {
    guard interface > 0 else { return ["has no Landlock, or has it turned off"] }
    return [
      (2, "lets no file be moved from one directory to another"),
      (3, "can't keep files from being truncated"),
      (4, "can't limit TCP connections"), (5, "can't limit the control of devices"),
      (6, "can't limit signals and abstract sockets"),
    ].compactMap { interface < $0 ? $1 : nil }
  }

  // MARK: What a plan allows

  private static func allowances(_ plan: SandboxPlan) -> [([String], Rights)] {
    let reading = rights(shim_sandbox_read_file, shim_sandbox_read_directory)
    let writing = rights(shim_sandbox_write_file, shim_sandbox_truncate)
    let making = rights(
      shim_sandbox_make_directory, shim_sandbox_make_file, shim_sandbox_make_socket, shim_sandbox_make_fifo,
      shim_sandbox_make_link, shim_sandbox_remove_file, shim_sandbox_remove_directory, shim_sandbox_refer)
    return [
      (plan.readable, reading),
      (plan.executable, reading | rights(shim_sandbox_execute)),
      (plan.writableDirectories, reading | writing | making),
      (
        plan.writableFiles,
        rights(
          shim_sandbox_read_file, shim_sandbox_write_file, shim_sandbox_truncate, shim_sandbox_device_control)
      ),
    ]
  }

  private static func rights(_ rights: Int...) -> Rights { rights.reduce(0) { $0 | Rights($1) } }

  private static var otherThreadCount: Int {
    guard let directory = unsafe opendir("/proc/self/task") else { return 0 }
    defer { unsafe closedir(directory) }
    var count = 0
    while let entry = unsafe readdir(directory) {
      // Everything but "." and ".." is a thread's number.
      if unsafe entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
    }
    return max(0, count - 1)
  }
}
