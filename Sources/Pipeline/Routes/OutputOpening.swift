import Checkpoints
import Platform
import Shipping
import Spool

/// An output whose target is open, and whose thread hasn't begun yet.
struct OpenedOutput: ~Copyable {
  let configuration: OutputConfiguration
  /// What the sink takes, which is what its spool must hold.
  let content: EntryContent
  let sink: Handover<any Sink>
  /// How it stands by the checkpoint; nil if there is none.
  let standing: OutputStanding?
}

/// Opens outputs, on any thread.
struct OutputOpener: Sendable {
  let messages: Messages
  /// Whether an output that fails is tried again until it works.
  let triesAgain: Bool
  /// Whether the source can be held back without losing records.
  let canWait: Bool
  /// Becomes readable when waiting for room has to end.
  let interruptDescriptor: Int32
  /// Where outputs note how far they are; nil if there is no checkpoint.
  let checkpoint: OpenedCheckpoint?
  /// The system calls, clock and threads that the outputs use.
  var surroundings = Surroundings()

  /// If the source waits, the spool needs no more room than keeps both threads busy, in blocks so large that
  /// waking the other thread is rare, and so small that there are several.
  private static let waitingSpoolBytes = 8 << 20
  private static let waitingBlockBytes = 1 << 20

  /// Opens an output's target.
  ///
  /// - Parameters:
  ///   - appends: whether a file is never emptied, as this run has written to it.
  ///   - resumption: where the file goes on, if an earlier run has written it.
  func openSink(
    _ output: OutputConfiguration, _ content: EntryContent, appends: Bool = false,
    resuming resumption: FileResumption? = nil
  ) throws(RunError) -> sending any Sink {
    let messages = messages
    do {
      switch output.target {
      case .standardOutput:
        return try StreamSink.standardOutput(content)
      case .file(var file):
        file.content = content
        file.keepsUnsettled = output.spoolDirectory != nil
        file.appends = file.appends || appends
        return try FileSink.open(
          file, resuming: resumption, at: surroundings.clock(), system: surroundings.system
        ) { messages.say($0) }
      case .command(let command, let onRestart):
        return LinkSink.exec(command, linkOptions(content, onRestart)) { messages.say($0) }
      case .socket(let receiver, let onRestart):
        var links = linkOptions(content, onRestart)
        links.framing = receiver.framing
        return LinkSink.socket(receiver.address, links) { messages.say($0) }
      case .descriptor(let descriptor, let name):
        return try StreamSink(descriptor: descriptor, name: name, content: content)
      case .observer(let target):
        return try target.makeSink(content)
      }
    } catch {
      throw .output(error)
    }
  }

  private func linkOptions(
    _ content: EntryContent, _ onRestart: RestartPolicy
  ) -> LinkOptions {
    var options = LinkOptions()
    options.onRestart = onRestart
    options.content = content
    return options
  }

  /// Whether the source is held back when an output has no room.
  func waitsForRoom(_ output: OutputConfiguration) -> Bool { canWait && output.overflow != .drop }

  /// Makes the spool of an output.
  ///
  /// - Parameters:
  ///   - usesDisk: whether the spool uses the output's directory, if there is one.
  ///   - standing: how the output stands by the checkpoint.
  func openSpool(
    _ output: OutputConfiguration, _ content: EntryContent, limitBytes: Int, usesDisk: Bool = true,
    _ standing: OutputStanding? = nil
  ) throws(RunError) -> Spool {
    var spool = Spool.Options(
      limitBytes: limitBytes, overflow: waitsForRoom(output) ? .block : .drop,
      interruptDescriptor: interruptDescriptor)
    if let blockBytes = surroundings.blockBytes { spool.blockBytes = blockBytes }
    let messages = messages
    if let directory = output.spoolDirectory {
      if usesDisk {
        spool.disk = Spool.DiskOptions(
          directory: directory, limitBytes: output.spoolDiskBytes, content: content
        ) { messages.say($0) }
        spool.disk?.lineage = checkpoint?.file.identity ?? 0
        if let standing {
          spool.disk?.settledThrough = standing.sequence
          spool.disk?.repeatedFrom = checkpoint?.repeatedFrom(standing)
        }
        spool.disk?.keepsUp = checkpoint != nil
      }
    } else if waitsForRoom(output) {
      spool.limitBytes = min(spool.limitBytes, Self.waitingSpoolBytes)
      spool.blockBytes = min(Self.waitingBlockBytes, spool.limitBytes / 4)
    }
    do {
      return try Spool(spool, system: surroundings.system)
    } catch {
      throw .spool(error)
    }
  }

  /// Starts an output's thread.
  ///
  /// - Parameter standing: how the output stands by the checkpoint; as it was noted last, if nil.
  func begin(
    _ output: OutputConfiguration, _ sink: sending any Sink, _ spool: Spool, _ standing: OutputStanding? = nil
  ) throws(RunError) -> Output {
    let messages = messages
    var options = Output.Options(
      triesAgain: triesAgain, clock: surroundings.clock, warn: { messages.say($0) })
    options.driver = surroundings.driver
    options.journal = try checkpoint?.makeJournal(
      output.displayName, from: standing, startingAt: spool.startSequence)
    do {
      return try Output(to: sink, spool: spool, options: options)
    } catch {
      throw .spool(error)
    }
  }
}

extension OutputConfiguration {
  /// The kind of content that one run of this output writes.
  func makeContent() -> EntryContent {
    isBinary ? .records(BinaryLogFile.content()) : .lines(header: header)
  }
}

/// Opening outputs at the start, and starting their threads.
extension RunControl {
  /// Makes an opener of outputs.
  ///
  /// - Parameter canWait: whether the source can be held back without losing records.
  func opener(canWait: Bool) -> OutputOpener {
    OutputOpener(
      messages: messages, triesAgain: configuration.followsLog, canWait: canWait,
      interruptDescriptor: mailbox.descriptor, checkpoint: checkpoint, surroundings: surroundings)
  }

  /// Opens the targets of all outputs, in their order.
  mutating func openOutputs() throws(RunError) -> FixedList<OpenedOutput?> {
    try openCheckpoint()
    let outputs = configuration.outputs
    var opened = FixedList<OpenedOutput?>(count: outputs.count) { _ in nil }
    for index in outputs.indices { opened[index] = try open(outputs[index]) }
    return opened
  }

  private mutating func open(_ output: OutputConfiguration) throws(RunError) -> OpenedOutput {
    let opener = opener(canWait: false)
    let content = output.makeContent()
    let standing = checkpoint?.standing(of: output.displayName)
    let resumption = checkpoint?.resumption(of: output.displayName)
    let sink = try aside("opening the output") {
      Result { () throws(RunError) in
        let sink = try opener.openSink(output, content, resuming: resumption)
        guard let replace = opener.surroundings.replaceSink else { return sink }
        return replace(sink)
      }
    }
    let resumed = sink.resumed ?? standing
    return OpenedOutput(configuration: output, content: content, sink: Handover(sink), standing: resumed)
  }

  /// Creates and locks the file for the process number, if one was asked for.
  mutating func makePIDFile() throws(RunError) -> PIDFile? {
    guard let path = configuration.process.pidFile else { return nil }
    if let pidFile { return pidFile }
    return try aside("making \(path)") {
      Result { () throws(PIDFileError) in try PIDFile(path: path) }.mapError { .pidFile($0) }
    }
  }

  /// Opens an output's spool, starts the output's thread, and returns the route to it.
  mutating func begin(
    _ opened: consuming OpenedOutput, serial: Int, canWait: Bool
  ) throws(RunError) -> Route {
    let (output, content, standing) = (opened.configuration, opened.content, opened.standing)
    let opener = opener(canWait: canWait)
    let limitBytes = configuration.spoolBytes(of: output)
    let spool = try aside("looking through the spool") {
      Result { () throws(RunError) in try opener.openSpool(output, content, limitBytes: limitBytes, standing)
      }
    }
    // Entries that an earlier run has left in the spool's directory aren't made again. Marks mean nothing if
    // it isn't known what that run had read.
    let hasRead = checkpoint?.reading.logs.isEmpty == false
    let done = max(standing?.done ?? .start, hasRead ? spool.inheritedEnd : .start)
    return Route(
      output, serial: serial, to: .open(try opener.begin(output, opened.sink.take(), spool, standing)),
      content: content, waitsForRoom: opener.waitsForRoom(output), done: done, now: clock.now())
  }
}
