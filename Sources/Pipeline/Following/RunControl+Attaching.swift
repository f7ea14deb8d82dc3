import Platform
import LogReading

/// How often an instance or a log that isn't there is looked for, in milliseconds.
let attachMilliseconds: Int32 = 250

extension RunControl {
  /// Until when the first log must be there; nil waits without limit.
  var attachDeadline: Int64? {
    configuration.input.attachSeconds.map { clock.now().steadyNanoseconds + Int64(min($0, 1e9) * 1e9) }
  }

  /// Whether a deadline has passed; never, if it is nil.
  func isOver(_ deadline: Int64?) -> Bool { deadline.map { clock.now().steadyNanoseconds >= $0 } ?? false }

  /// The instance, or the file of an old instance, that the configuration names.
  func findInstance(_ log: InputConfiguration.LiveLog) throws(RunError) -> InstanceFollower {
    switch log {
    case .memoryFile(let path): return InstanceFollower(file: path)
    case .instance(let name):
      do {
        return InstanceFollower(
          path: try InstanceName(name).path, isPostMortem: configuration.input.existingOnly)
      } catch {
        throw .instance(error)
      }
    }
  }

  /// Finds the instance, and waits for it as long as `-t` allows; without limit only if that was asked for.
  mutating func attach(
    _ log: InputConfiguration.LiveLog, by deadline: Int64?
  ) throws(RunError) -> InstanceFollower {
    var said: String?
    while true {
      var instance = try findInstance(log)
      instance.refresh(at: clock.now().steadyNanoseconds)
      logPath = instance.path
      if instance.hasManager { return instance }
      if instance.isRefused || isOver(deadline) { throw .noInstance(instance.trouble) }
      if deadline == nil, instance.trouble != said {
        messages.say("waiting for varnishd: \(instance.trouble)")
        said = instance.trouble
      }
      if mailbox.wait(milliseconds: attachMilliseconds) { handleEarlyCommands() }
      if isEnding { throw .interrupted(instance.trouble) }
    }
  }

  /// Carries out commands that come in before there are outputs: an account is empty, and a reload is left
  /// for later.
  private mutating func handleEarlyCommands() {
    while let command = mailbox.next() {
      if ends(command) { interrupt() }
      switch command {
      case .report: messages.say(Ledger().description)
      case .hangup: isReloadWanted = source != nil
      case .end, .flush: break
      }
    }
  }
}
