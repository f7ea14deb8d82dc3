import Platform
import Shipping
import Spool

/// An output whose target is open, and whose thread hasn't begun yet.
struct OpenedOutput: ~Copyable {
  let configuration: OutputConfiguration
  /// What the sink takes, which is what its spool must hold.
  let content: EntryContent
  let sink: Handover<any Sink>
}

/// What it takes to open outputs, on any thread.
struct OutputOpener: Sendable {
  let messages: Messages
  /// Whether an output that fails is tried again until it works.
  let triesAgain: Bool
  /// Whether the source loses nothing by being held back.
  let canWait: Bool
  /// What ends the waiting for room by becoming readable.
  let interruptDescriptor: Int32

  /// A source that waits needs no more room than keeps both threads busy, in blocks large enough that waking
  /// the other thread is rare.
  private static let waitingSpoolBytes = 8 << 20
  private static let waitingBlockBytes = 1 << 20

  /// Opens an output's target.
  ///
  /// - Parameter appends: whether a file is never emptied, as this run has written to it.
  func openSink(
    _ output: OutputConfiguration, _ content: EntryContent, appends: Bool = false
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
        return try FileSink.open(file) { messages.say($0) }
      case .command(let command, let onRestart):
        return LinkSink.exec(command, linkOptions(content, onRestart)) { messages.say($0) }
      case .socket(let receiver, let onRestart):
        var links = linkOptions(content, onRestart)
        links.framing = receiver.framing
        return LinkSink.socket(receiver.address, links) { messages.say($0) }
      case .descriptor(let descriptor, let name):
        return try StreamSink(descriptor: descriptor, name: name, content: content)
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
  /// - Parameter usesDisk: whether it has the output's directory, if there is one.
  func openSpool(
    _ output: OutputConfiguration, _ content: EntryContent, limitBytes: Int, usesDisk: Bool = true
  ) throws(RunError) -> Spool {
    var spool = Spool.Options(
      limitBytes: limitBytes, overflow: waitsForRoom(output) ? .block : .drop,
      interruptDescriptor: interruptDescriptor)
    let messages = messages
    if let directory = output.spoolDirectory {
      if usesDisk {
        spool.disk = Spool.DiskOptions(
          directory: directory, limitBytes: output.spoolDiskBytes, content: content
        ) { messages.say($0) }
      }
    } else if waitsForRoom(output) {
      spool.limitBytes = min(spool.limitBytes, Self.waitingSpoolBytes)
      spool.blockBytes = Self.waitingBlockBytes
    }
    do {
      return try Spool(spool)
    } catch {
      throw .spool(error)
    }
  }

  /// Starts an output's thread.
  func begin(_ sink: sending any Sink, _ spool: Spool) throws(RunError) -> Output {
    let messages = messages
    do {
      return try Output(
        to: sink, spool: spool,
        options: Output.Options(triesAgain: triesAgain, warn: { messages.say($0) }))
    } catch {
      throw .spool(error)
    }
  }
}

extension OutputConfiguration {
  /// What the entries of one run of this output are.
  func makeContent() -> EntryContent {
    isBinary ? .records(BinaryLogFile.content()) : .lines(header: header)
  }
}

/// Opening outputs at the start, and beginning them.
extension RunControl {
  /// What it takes to open outputs.
  ///
  /// - Parameter canWait: whether the source loses nothing by being held back.
  func opener(canWait: Bool) -> OutputOpener {
    OutputOpener(
      messages: messages, triesAgain: configuration.followsLog, canWait: canWait,
      interruptDescriptor: mailbox.descriptor)
  }

  /// Opens the targets of all outputs, in their order.
  mutating func openOutputs() throws(RunError) -> FixedList<OpenedOutput?> {
    let outputs = configuration.outputs
    var opened = FixedList<OpenedOutput?>(count: outputs.count) { _ in nil }
    for index in outputs.indices { opened[index] = try open(outputs[index]) }
    return opened
  }

  private mutating func open(_ output: OutputConfiguration) throws(RunError) -> OpenedOutput {
    let opener = opener(canWait: false)
    let content = output.makeContent()
    let sink = try aside("opening the output") {
      Result { () throws(RunError) in try opener.openSink(output, content) }
    }
    return OpenedOutput(configuration: output, content: content, sink: Handover(sink))
  }

  /// Takes the process number's file.
  mutating func makePIDFile() throws(RunError) -> PIDFile? {
    guard let path = configuration.process.pidFile else { return nil }
    if let pidFile { return pidFile }
    return try aside("making \(path)") {
      Result { () throws(PIDFileError) in try PIDFile(path: path) }.mapError { .pidFile($0) }
    }
  }

  /// Starts an output's thread.
  mutating func begin(
    _ opened: consuming OpenedOutput, serial: Int, canWait: Bool
  ) throws(RunError) -> Route {
    let (output, content) = (opened.configuration, opened.content)
    let opener = opener(canWait: canWait)
    let limitBytes = configuration.spoolBytes(of: output)
    let spool = try aside("looking through the spool") {
      Result { () throws(RunError) in try opener.openSpool(output, content, limitBytes: limitBytes) }
    }
    return Route(
      output, serial: serial, to: .open(try opener.begin(opened.sink.take(), spool)),
      content: content, waitsForRoom: opener.waitsForRoom(output), now: clock.now())
  }
}
