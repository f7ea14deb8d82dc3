/// What a process has to do from now on, so that everything else can be refused.
///
/// Paths are looked up when the plan is applied: a rule is for the file or directory that exists then, and
/// for everything beneath a directory, then or later. A file that is deleted and made anew later is a
/// different file, which the rule doesn't cover; where that may happen, name the directory above it.
package struct SandboxPlan: Equatable, Sendable {
  /// Files and directories to read, with everything beneath the directories.
  package var readable: [String]
  /// Directories to make, write, rename and remove files, links, sockets and directories beneath, and to read.
  package var writableDirectories: [String]
  /// Devices, pipes and single files to be written, and read.
  package var writableFiles: [String]
  /// Files and directories from which programs may be executed, and read.
  package var executable: [String]
  /// Whether TCP connections may be made; listening is never allowed.
  package var connects: Bool
  /// Whether abstract sockets of processes outside of the sandbox may be connected to; signals can't be sent
  /// to these processes in any case.
  package var reachesAbstractSockets: Bool

  /// A plan that allows what is given.
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

  /// What the C library needs by itself: users and hosts, with the libraries loaded for that, time zones,
  /// character sets, and information about processes.
  package static let libraryNeeds = SandboxPlan(
    readable: [
      "/etc", "/usr/share/zoneinfo", "/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64",
      "/run/systemd/resolve", "/run/systemd/userdb", "/run/nscd", "/run/resolvconf", "/run/NetworkManager",
      "/var/lib/sss", "/proc", "/dev/urandom",
    ], writableFiles: ["/dev/null"])

  /// What an administrator's commands need: to execute and to read what the user may, and to make
  /// connections.
  ///
  /// They can write only where the plan says so, and can't send signals to processes outside.
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
