import Glibc
import Platform

/// What a process does before its run begins: giving up privileges, limiting itself and offering its status.
///
/// With `--user` the order is: attach to the log, the process number's file, the status socket's directory, the user,
/// outputs and spools, the sandbox, the status socket, the outputs' threads. Without, outputs are opened first, as
/// messages of mistakes in them are expected before any of the log's.
extension RunControl {
  /// Whether the process becomes another user.
  var changesUser: Bool { configuration.process.account != nil }

  /// Makes what only root can make, and changes to the user that was asked for, for good.
  mutating func giveUpPrivileges() throws(RunError) {
    guard let account = configuration.process.account else { return }
    pidFile = try makePIDFile()
    makeStatusDirectory(owner: account)
    do throws(PrivilegesError) {
      try Privileges.drop(to: account, extraGroups: logGroups)
    } catch {
      throw .process("--user: \(error)")
    }
    daemon?.endWithStarter()
  }

  /// Opens the outputs that aren't open yet, as the user that was asked for.
  mutating func openAsUser(
    _ opened: consuming FixedList<OpenedOutput?>?
  ) throws(RunError) -> FixedList<OpenedOutput?> {
    if let opened { return opened }
    try giveUpPrivileges()
    return try openOutputs()
  }

  /// The groups that may read the instance's files, which the account may not be in.
  private var logGroups: [gid_t] {
    let names: [String]
    switch configuration.input.source {
    case .captured: names = []
    case .live(.instance): names = ["/_.vsm_mgt", "/_.vsm_child", "/_.vsm", "/_.vsl"]
    case .live(.memoryFile): names = [""]
    }
    return names.compactMap { name in
      var status = stat()
      // Root's own group isn't kept.
      guard unsafe stat(logPath + name, &status) == 0, status.st_gid != 0 else { return nil }
      return status.st_gid
    }
  }

  /// Makes the directory of the status socket, if the socket is asked for and the directory isn't there;
  /// errors show when the socket is made.
  private func makeStatusDirectory(owner: Account?) {
    guard case .path(let path) = configuration.process.statusSocket, let slash = path.lastIndex(of: "/"),
      slash > path.startIndex
    else { return }
    let directory = String(path[..<slash])
    guard unsafe mkdir(directory, 0o755) == 0, let owner else { return }
    _ = unsafe lchown(directory, owner.user, owner.group)
  }

  /// Limits the process to what the run needs, if that is wanted and the kernel can do it.
  mutating func enterSandbox() throws(RunError) {
    guard configuration.process.isSandboxed else { return }
    makeStatusDirectory(owner: nil)
    // The kernel takes rules only for directories that exist. Errors are reported when the directory is used.
    for output in configuration.outputs {
      if let directory = output.spoolDirectory { try? SystemCalls.real.makeDirectory(directory) }
    }
    do throws(SandboxError) {
      let plan = SandboxPlan(configuration, logPath: logPath, source: source)
      let result = try Sandbox.enter(plan)
      sandbox = result.summary
      if result.isActive { sandboxPlan = plan.withoutLinks }
      sayIfVerbose(result.description)
    } catch {
      throw .process("\(error)")
    }
  }

  /// Writes a message that is of use only for finding faults: if `SPILLWAY_VERBOSE` is set in the
  /// environment.
  private func sayIfVerbose(_ text: String?) {
    guard let text, let value = unsafe getenv("SPILLWAY_VERBOSE"), unsafe value.pointee != 0 else { return }
    messages.say(text)
  }

  /// Opens the status socket and begins to notify the service manager; nil if neither is wanted.
  mutating func beginObservation() throws(RunError) -> Observation? {
    sayIfVerbose(manager?.trouble)
    let listener = manager?.isThere == true ? manager : nil
    let place = configuration.process.statusSocket
    guard listener != nil || place.path != nil || configuration.process.statusBoard != nil else {
      // Ticks have a run that waits notice a configuration that has been read again.
      if source != nil { mailbox.beginTicking(nanoseconds: Observation.pause(nil)) }
      return nil
    }
    let status = RunStatus(
      version: configuration.process.version, start: clock.now(), log: LogStanding(path: logPath),
      sandbox: sandbox)
    let board = configuration.process.statusBoard ?? StatusBoard()
    board.publish(status)
    let socket = try openStatusSocket(place, board)
    let pause = Observation.pause(listener)
    mailbox.beginTicking(nanoseconds: pause)
    return Observation(status, board, socket, listener, pauseNanoseconds: pause)
  }

  private func openStatusSocket(
    _ place: ProcessConfiguration.StatusPlace, _ board: StatusBoard
  ) throws(RunError) -> StatusSocket? {
    guard let path = place.path else { return nil }
    makeStatusDirectory(owner: nil)
    do throws(SocketFileError) {
      return try StatusSocket(path: path) { board.document($0) }
    } catch {
      if case .usual = place {
        messages.say("status socket: \(error); this run can't be asked how it does")
        return nil
      }
      throw .process("--status-socket: \(error)")
    }
  }
}
