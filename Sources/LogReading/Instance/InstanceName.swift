import Platform
import Glibc

/// Which directory an instance name means (`shm-layout.md` 1.1).
public struct InstanceName: Equatable, Sendable {
  /// The directory.
  public let path: String

  /// The places where packages put their instances, in the order in which they are tried.
  public static let stateDirectories = ["/var/lib/varnish", "/var/run", "/usr/local/var/varnish"]
  /// The environment variables that name the default instance.
  public static let environmentVariables = ["VARNISH_DEFAULT_N", "VINYL_DEFAULT_N"]

  /// Resolves the argument of `-n`, or the default when there is none.
  ///
  /// - Parameters:
  ///   - argument: what was given with `-n`.
  ///   - environment: how a variable of the environment is looked up.
  ///   - stateDirectories: where instances are kept.
  /// - Throws: `InstanceNameError` if nothing was given and more than one instance could be meant.
  public init(
    _ argument: String?, environment: (String) -> String? = Self.variable,
    stateDirectories: [String] = Self.stateDirectories
  ) throws(InstanceNameError) {
    if let name = argument ?? Self.environmentVariables.compactMap(environment).first {
      path = Self.directory(of: name, in: stateDirectories)
      return
    }
    // What the servers themselves use when they are given no name, newest habit first.
    for name in ["varnishd", Self.hostName] {
      for state in stateDirectories where Self.isInstance("\(state)/\(name)") {
        path = "\(state)/\(name)"
        return
      }
    }
    let instances = stateDirectories.flatMap { state in
      Self.entries(of: state).map { "\(state)/\($0)" }.filter(Self.isInstance)
    }
    guard instances.count <= 1 else { throw InstanceNameError(candidates: instances) }
    path = instances.first ?? "\(stateDirectories[0])/varnishd"
  }

  /// Looks a variable up in the process's environment.
  public static func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
    return unsafe String(cString: value)
  }

  private static func directory(of name: String, in stateDirectories: [String]) -> String {
    if name.hasPrefix("/") { return name }
    let candidates = stateDirectories.map { "\($0)/\(name)" }
    return candidates.first(where: isInstance) ?? candidates[0]
  }

  /// Whether a server has left its shared memory there: directories, or one file.
  private static func isInstance(_ path: String) -> Bool {
    if case .success(let state) = FileState.of(path: path + "/_.vsm_mgt"), state.isDirectory { return true }
    return SingleFileLog.names.contains { name in
      guard case .success(let state) = FileState.of(path: "\(path)/\(name)") else { return false }
      return state.isRegularFile
    }
  }

  private static var hostName: String {
    var buffer = [UInt8](repeating: 0, count: 256)
    guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func entries(of path: String) -> [String] {
    guard let stream = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }
}

/// No instance was named and several exist.
public struct InstanceNameError: Error, Equatable, CustomStringConvertible {
  /// The directories of the instances there are.
  public let candidates: [String]

  /// One line that lists what could be meant.
  public var description: String {
    "More than one instance exists, choose one with -n: " + candidates.joined(separator: ", ")
  }
}
