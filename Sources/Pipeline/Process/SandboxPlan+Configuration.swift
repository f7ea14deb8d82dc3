import Glibc
import Platform
import Shipping

extension SandboxPlan {
  /// The access that a run needs once its outputs are open: to read its log, even if that is made anew, and
  /// to write its outputs, its spools and its process's files.
  ///
  /// - Parameters:
  ///   - logPath: the instance's directory, or the file.
  ///   - source: where the configuration is read again.
  init(_ configuration: Configuration, logPath: String, source: ConfigurationSource? = nil) {
    self = .libraryNeeds
    if let source { readable += source.readable }
    // A server that is restarted makes the directory of its instance anew.
    if configuration.input.source.isLive {
      let places = [logPath, SystemCalls.real.realPath(logPath) ?? logPath].map(Self.directory(of:))
      readable += Array(Set(places)).sorted()
    }
    for output in configuration.outputs { add(output) }
    let process = configuration.process
    for path in [process.pidFile, process.statusSocket.path].compactMap({ $0 }) {
      writableDirectories.append(Self.directory(of: path))
    }
  }

  /// Adds the access that an output needs.
  mutating func add(_ output: OutputConfiguration) {
    switch output.target {
    case .standardOutput, .descriptor: break
    case .observer(let target):
      formUnion(SandboxPlan(writableDirectories: target.observer.writableDirectories))
    case .file(let file): formUnion(file.sandboxNeeds)
    case .command: formUnion(.commandNeeds)
    case .socket(let receiver, _):
      if case .tcp = receiver.address { connects = true }
    }
    if let directory = output.spoolDirectory { writableDirectories.append(directory) }
  }

  /// The same plan with links followed, as far as the paths exist.
  var withoutLinks: SandboxPlan {
    func followed(_ paths: [String]) -> [String] {
      Set(paths.map { SystemCalls.real.realPath($0) ?? $0 }).sorted()
    }
    var plan = self
    plan.readable = followed(readable)
    plan.writableDirectories = followed(writableDirectories)
    plan.writableFiles = followed(writableFiles)
    plan.executable = followed(executable)
    return plan
  }

  private static func directory(of path: String) -> String {
    guard let slash = path.dropLast(path.hasSuffix("/") ? 1 : 0).lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
