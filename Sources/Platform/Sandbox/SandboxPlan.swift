/// What a process will have to do from now on, so that it can be kept from everything else.
///
/// Paths are looked up when the plan is carried out: a rule is for the file or directory that is there then, and for
/// all that is beneath a directory, then or later. Something that is deleted and made anew later is another thing,
/// which the rule isn't for; so where that may happen, the directory above it has to be named.
package struct SandboxPlan: Equatable, Sendable {
  /// Files and directories to be read, with all that is beneath these.
  package var readable: [String]
  /// Directories to make, write, rename and remove files, links, sockets and directories beneath, and to read.
  package var writableDirectories: [String]
  /// Devices, pipes and single files to be written, and read.
  package var writableFiles: [String]
  /// Files and directories from which programs may be executed, and read.
  package var executable: [String]
  /// Whether TCP connections may be made; none can be waited for in any case.
  package var connects: Bool
  /// Whether abstract sockets of processes outside of the sandbox may be connected to; from within, signals can be sent
  /// to none of these in any case.
  package var reachesAbstractSockets: Bool

  /// A plan that allows what it names.
  package init(
    readable: [String] = [], writableDirectories: [String] = [], writableFiles: [String] = [],
    executable: [String] = [], connects: Bool = false, reachesAbstractSockets: Bool = false
  ) {
    self.readable = readable
    self.writableDirectories = writableDirectories
    self.writableFiles = writableFiles
    self.executable = executable
    self.connects = connects
    self.reachesAbstractSockets = reachesAbstractSockets
  }

  /// What the C library looks up on its own: users and hosts, with what is loaded for that, time zones, character
  /// sets; and what is found out about processes.
  package static let libraryNeeds = SandboxPlan(
    readable: [
      "/etc", "/usr/share/zoneinfo", "/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64",
      "/run/systemd/resolve", "/run/systemd/userdb", "/run/nscd", "/run/resolvconf", "/run/NetworkManager",
      "/var/lib/sss", "/proc", "/dev/urandom",
    ], writableFiles: ["/dev/null"])

  /// What commands need that an administrator gives: to execute and to read what the user may, and to reach others.
  ///
  /// They are kept from writing elsewhere than the plan says otherwise, and from sending signals to processes outside.
  package static let commandNeeds = SandboxPlan(
    writableFiles: ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty"], executable: ["/"], connects: true,
    reachesAbstractSockets: true)

  /// Allows what either plan allows.
  package mutating func formUnion(_ other: SandboxPlan) {
    readable += other.readable.filter { !readable.contains($0) }
    writableDirectories += other.writableDirectories.filter { !writableDirectories.contains($0) }
    writableFiles += other.writableFiles.filter { !writableFiles.contains($0) }
    executable += other.executable.filter { !executable.contains($0) }
    connects = connects || other.connects
    reachesAbstractSockets = reachesAbstractSockets || other.reachesAbstractSockets
  }
}
