import Glibc

/// A child that has just been started, and our ends of its pipes.
struct SpawnedProcess {
  var identifier: pid_t
  var output: Int32?
  var errorOutput: Int32?
}

/// Starts a command with its streams connected as `command` says and all signals at their defaults.
func spawn(_ command: Command, path: String) throws(SupportError) -> SpawnedProcess {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  resetSignals(&attributes)

  var theirs: [Int32] = []
  defer { for descriptor in theirs { close(descriptor) } }

  var inputFeed: (descriptor: Int32, bytes: [UInt8])?
  switch command.input {
  case .null: posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  case .file(let file): posix_spawn_file_actions_addopen(&actions, 0, file, O_RDONLY, 0)
  case .bytes(let bytes):
    let pipe = try makePipe()
    posix_spawn_file_actions_adddup2(&actions, pipe.readEnd, 0)
    theirs.append(pipe.readEnd)
    inputFeed = (pipe.writeEnd, bytes)
  }

  func connect(_ output: Command.Output, as number: Int32) throws(SupportError) -> Int32? {
    if case .file(let file) = output {
      let flags = O_WRONLY | O_CREAT | O_TRUNC
      posix_spawn_file_actions_addopen(&actions, number, file, flags, 0o644)
      return nil
    }
    let pipe = try makePipe()
    posix_spawn_file_actions_adddup2(&actions, pipe.writeEnd, number)
    theirs.append(pipe.writeEnd)
    return pipe.readEnd
  }
  let output = try connect(command.output, as: 1)
  let errorOutput: Int32?
  if command.mergesErrorOutput {
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    errorOutput = nil
  } else {
    errorOutput = try connect(command.errorOutput, as: 2)
  }

  var identifier: pid_t = 0
  let status = withCStrings([command.name ?? path] + command.arguments) { arguments in
    withCStrings(environment(with: command.environment)) { environment in
      posix_spawn(&identifier, path, &actions, &attributes, arguments, environment)
    }
  }
  guard status == 0 else {
    for descriptor in [output, errorOutput, inputFeed?.descriptor] {
      if let descriptor { close(descriptor) }
    }
    throw SupportError("start \(path)", errno: status)
  }
  if let inputFeed { feed(inputFeed.bytes, to: inputFeed.descriptor) }
  return SpawnedProcess(identifier: identifier, output: output, errorOutput: errorOutput)
}

/// Writes a child's input on a thread of its own, so that a child that doesn't read can't block the test.
private func feed(_ bytes: [UInt8], to descriptor: Int32) {
  detachThread {
    // A child that closes its input early must not end this process.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    try? writeAll(bytes, to: descriptor, named: "a child's input")
    close(descriptor)
  }
}

/// Restores the default signal actions and mask: the child must not inherit what this process ignores or
/// blocks.
private func resetSignals(_ attributes: inout posix_spawnattr_t) {
  var none = sigset_t()
  sigemptyset(&none)
  var all = sigset_t()
  sigfillset(&all)
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setsigdefault(&attributes, &all)
  posix_spawnattr_setflags(
    &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
}

/// This process's environment with changes, as `NAME=value` strings.
private func environment(with changes: [String: String?]) -> [String] {
  var result: [String] = []
  var cursor = environ
  while let entry = cursor.pointee {
    let text = String(cString: entry)
    if changes.index(forKey: String(text.prefix { $0 != "=" })) == nil { result.append(text) }
    cursor += 1
  }
  for (name, value) in changes {
    if let value { result.append("\(name)=\(value)") }
  }
  return result
}

private func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let pointers = strings.map { strdup($0) }
  defer { for pointer in pointers { free(pointer) } }
  return body(pointers + [nil])
}
