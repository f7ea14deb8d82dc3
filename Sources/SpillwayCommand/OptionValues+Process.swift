import Glibc
import LogReading
import Pipeline
import Platform

/// Reads the values of options for the process: its user, its sandbox and its status socket.
extension OptionValues {
  /// The directory in which background runs have their status sockets, unless the service has one of its own.
  static let statusDirectory = "/run/spillway"
  static let statusName = "status.sock"
  /// The socket to which `spillway status` connects by default.
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

  /// The place of the status socket: as given, or, for a service, at the usual place if its directory exists.
  ///
  /// The directory that systemd has made for the service is tried first.
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

  /// Whether a run sandboxes itself: by default if it was root, otherwise if it is told to; `--no-sandbox`
  /// turns it off.
  func isSandboxed(_ options: ProcessOptions, usually: Bool) throws(UsageError) -> Bool {
    if options.sandbox, options.noSandbox {
      throw UsageError("Only one of --sandbox and --no-sandbox may be used")
    }
    return options.sandbox || (usually && !options.noSandbox)
  }
}
