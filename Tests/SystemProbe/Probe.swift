import Glibc
import Platform

/// The actions that can be tried, and the limits under which they are.
struct Probe {
  private var plan = SandboxPlan()
  private var interfaceMax = Int.max

  /// Performs an action; returns its result.
  mutating func perform(_ verb: String, _ value: String) -> String {
    switch verb {
    // Permissions of a sandbox.
    case "readable": plan.readable.append(value)
    case "writable": plan.writableDirectories.append(value)
    case "file": plan.writableFiles.append(value)
    case "executable": plan.executable.append(value)
    case "connects": plan.connects = true
    case "library": plan.formUnion(.libraryNeeds)
    case "commands": plan.formUnion(.commandNeeds)
    case "interface": interfaceMax = Int(value) ?? 0
    case "enter": return enter()
    case "drop": return drop(value)
    case "status": return status(value)
    case "variable": return getenv(value).map { String(cString: $0) } ?? "none"
    case "adopt":
      ServiceManager.adopt().say(.status(value))
      return "done"
    case "thread": return Self.startIdleThread()
    case "in-thread": return inThread(value)
    default: return attempt(verb, value)
    }
    return "noted"
  }

  private func enter() -> String {
    do throws(SandboxError) {
      let result = try Sandbox.enter(plan, interfaceMax: interfaceMax)
      return "\(result.interface), \(result.otherThreadCount) other threads, missing \(result.missingPaths)"
    } catch {
      return error.description
    }
  }

  private func drop(_ name: String) -> String {
    do {
      try Privileges.drop(to: try Account(name), extraGroups: [4242])
      return "done"
    } catch {
      return "\(error)"
    }
  }

  /// A line of the status files of all threads, each different one once.
  private func status(_ name: String) -> String {
    let texts = Self.threads.compactMap { SmallFile.text("/proc/self/task/\($0)/status") }
    let lines = texts.compactMap { text in
      text.split(separator: "\n").first { $0.hasPrefix("\(name):") }?.dropFirst(name.count + 1)
    }
    return Set(lines.map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") })
      .sorted().joined(separator: " | ")
  }

  private static var threads: [String] {
    guard let directory = opendir("/proc/self/task") else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }

  private struct Idle: ThreadLoop {
    func run() { while true { pause() } }
  }

  private static func startIdleThread() -> String {
    guard let thread = try? WorkerThread.start(Idle()) else { return "failed" }
    pthread_detach(thread)
    return "started"
  }

  private final class Outcome: @unchecked Sendable {
    var text = ""
    let isThere = WakeSignal()
  }

  private struct Attempt: ThreadLoop {
    let outcome: Outcome
    let verb: String, value: String

    func run() {
      outcome.text = attempt(verb, value)
      outcome.isThere.signal()
    }
  }

  /// Performs an action on a new thread.
  private func inThread(_ text: String) -> String {
    let parts = text.split(separator: ",", maxSplits: 1).map(String.init)
    let outcome = Outcome()
    guard let thread = try? WorkerThread.start(Attempt(outcome: outcome, verb: parts[0], value: parts[1]))
    else {
      return "failed"
    }
    pthread_detach(thread)
    outcome.isThere.wait(nanoseconds: nil)
    return outcome.text
  }
}
