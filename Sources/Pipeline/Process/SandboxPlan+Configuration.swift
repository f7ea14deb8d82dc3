import Glibc
import Platform
import Shipping

extension SandboxPlan {
  /// What a run needs from when its outputs are open: to read its log, also one that is made anew, and to write its
  /// outputs, its spools and what concerns its process.
  ///
  /// - Parameter logPath: the instance's directory, or the file.
  init(_ configuration: Configuration, logPath: String) {
    self = .libraryNeeds
    // A server that is started anew makes the directory of its instance anew.
    if case .live = configuration.input.source {
      let places = [logPath, SystemCalls.real.realPath(logPath) ?? logPath].map(Self.directory(of:))
      readable += Array(Set(places)).sorted()
    }
    for output in configuration.outputs {
      switch output.target {
      case .standardOutput, .descriptor: break
      case .file(let file): formUnion(file.sandboxNeeds)
      case .command: formUnion(.commandNeeds)
      case .socket(let receiver, _):
        if case .tcp = receiver.address { connects = true }
      }
      if let directory = output.spoolDirectory { writableDirectories.append(directory) }
    }
    let process = configuration.process
    for path in [process.pidFile, process.statusSocket.path].compactMap({ $0 }) {
      writableDirectories.append(Self.directory(of: path))
    }
  }

  private static func directory(of path: String) -> String {
    guard let slash = path.dropLast(path.hasSuffix("/") ? 1 : 0).lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
