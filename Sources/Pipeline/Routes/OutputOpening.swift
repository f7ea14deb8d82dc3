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

/// Opening outputs, and beginning them.
extension RunControl {
  /// A source that waits needs no more room than keeps both threads busy, in blocks large enough that waking
  /// the other thread is rare.
  private static let waitingSpoolBytes = 8 << 20
  private static let waitingBlockBytes = 1 << 20

  /// Opens the targets of all outputs, in their order.
  mutating func openOutputs() throws(RunError) -> FixedList<OpenedOutput?> {
    let outputs = configuration.outputs
    var opened = FixedList<OpenedOutput?>(count: outputs.count) { _ in nil }
    for index in outputs.indices { opened[index] = try open(outputs[index]) }
    return opened
  }

  private mutating func open(_ output: OutputConfiguration) throws(RunError) -> OpenedOutput {
    let messages = messages
    let content =
      output.isBinary ? EntryContent.records(BinaryLogFile.content()) : .lines(header: output.header)
    let sink = try aside("opening the output") {
      Result { () throws(RunError) in try Self.openSink(output, content, messages) }
    }
    return OpenedOutput(configuration: output, content: sink.content, sink: Handover(sink))
  }

  private static func openSink(
    _ output: OutputConfiguration, _ content: EntryContent, _ messages: Messages
  ) throws(RunError) -> sending any Sink {
    do {
      switch output.target {
      case .standardOutput:
        return try StreamSink.standardOutput(content)
      case .file(var file):
        file.content = content
        file.keepsUnsettled = output.spoolDirectory != nil
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

  private static func linkOptions(
    _ content: EntryContent, _ onRestart: RestartPolicy
  ) -> LinkOptions {
    var options = LinkOptions()
    options.onRestart = onRestart
    options.content = content
    return options
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
  ///
  /// - Parameter canWait: whether the source loses nothing by being held back.
  mutating func begin(_ opened: consuming OpenedOutput, canWait: Bool) throws(RunError) -> Route {
    let (output, messages) = (opened.configuration, messages)
    let waitsForRoom = canWait && output.overflow != .drop
    let options = spoolOptions(output, opened.content, waitsForRoom: waitsForRoom)
    let spool = try aside("looking through the spool") {
      Result { () throws(SpoolError) in try Spool(options) }.mapError { .spool($0) }
    }
    do {
      let running = try Output(
        to: opened.sink.take(), spool: spool,
        options: Output.Options(triesAgain: configuration.followsLog, warn: { messages.say($0) }))
      return Route(output, to: running, waitsForRoom: waitsForRoom, now: clock.now())
    } catch {
      throw .spool(error)
    }
  }

  private func spoolOptions(
    _ output: OutputConfiguration, _ content: EntryContent, waitsForRoom: Bool
  ) -> Spool.Options {
    var spool = Spool.Options(
      limitBytes: configuration.spoolBytes(of: output), overflow: waitsForRoom ? .block : .drop,
      interruptDescriptor: mailbox.descriptor)
    let messages = messages
    if let directory = output.spoolDirectory {
      spool.disk = Spool.DiskOptions(
        directory: directory, limitBytes: output.spoolDiskBytes, content: content
      ) { messages.say($0) }
    } else if waitsForRoom {
      spool.limitBytes = min(spool.limitBytes, Self.waitingSpoolBytes)
      spool.blockBytes = Self.waitingBlockBytes
    }
    return spool
  }
}
