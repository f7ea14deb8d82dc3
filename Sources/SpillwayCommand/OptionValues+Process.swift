import Glibc
import LogReading
import Pipeline
import Platform

/// What concerns the process as a whole: who it is, what it may do, and where it can be asked how it does.
extension OptionValues {
  /// Where runs in the background have their status sockets, and where they are looked for.
  static let statusDirectory = "/run/spillway"
  static let statusName = "status.sock"
  /// Where `spillway status` asks.
  static let statusPath = "\(statusDirectory)/\(statusName)"

  /// The account that `--user` names.
  func account(_ text: String?) throws(UsageError) -> Account? {
    guard let text else { return nil }
    guard isRoot else { throw UsageError("--user: \(PrivilegesError.notRoot(asking: geteuid()))") }
    do {
      let account = try Account(text)
      guard account.user != 0 else { throw UsageError("--user: \(PrivilegesError.superuser)") }
      return account
    } catch let error as UsageError {
      throw error
    } catch {
      throw UsageError("--user: \(error)")
    }
  }

  /// Where a run answers: where it was told to, or else, in the background, at the usual place if there is one.
  ///
  /// The directory that systemd has made for a service comes first.
  func statusPlace(_ text: String?, isService: Bool) throws(UsageError) -> ProcessConfiguration.StatusPlace {
    if let text {
      guard !text.isEmpty else { throw UsageError("--status-socket: no path") }
      return .path(absolute(text))
    }
    guard isService else { return .none }
    let given = InstanceName.variable("RUNTIME_DIRECTORY")?.split(separator: ":").first.map(String.init)
    let directories = [given, Self.statusDirectory].compactMap { $0 }
    guard let directory = directories.first(where: isDirectory) else { return .none }
    return .usual("\(directory)/\(Self.statusName)")
  }

  func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether a run limits itself: one that has been root does, unless it is told not to; others if they are told to.
  func isSandboxed(_ options: ProcessOptions, usually: Bool) throws(UsageError) -> Bool {
    if options.sandbox, options.noSandbox {
      throw UsageError("Only one of --sandbox and --no-sandbox may be used")
    }
    return options.sandbox || (usually && !options.noSandbox)
  }
}
