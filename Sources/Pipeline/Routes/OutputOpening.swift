import Platform
import Shipping
import Spool

/// An output whose target is open, and whose thread hasn't begun yet.
struct OpenedOutput: ~Copyable {
  let configuration: OutputConfiguration
  let binaryContent: BinaryContent?
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
    let binaryContent = output.isBinary ? BinaryLogFile.content() : nil
    let sink = try aside("opening the output") {
      Result { () throws(RunError) in try Self.openSink(output, binaryContent, messages) }
    }
    return OpenedOutput(configuration: output, binaryContent: binaryContent, sink: Handover(sink))
  }

  private static func openSink(
    _ output: OutputConfiguration, _ binaryContent: BinaryContent?, _ messages: Messages
  ) throws(RunError) -> sending any Sink {
    do {
      let header = output.header
      switch output.target {
      case .standardOutput:
        return try StreamSink.standardOutput(header: header, binary: binaryContent)
      case .file(var file):
        file.header = header
        file.binary = binaryContent
        file.keepsUnsettled = output.spoolDirectory != nil
        return try FileSink.open(file) { messages.say($0) }
      case .command(let command, let onRestart):
        return LinkSink.exec(command, linkOptions(header, binaryContent, onRestart)) { messages.say($0) }
      case .socket(let receiver, let onRestart):
        var links = linkOptions(header, binaryContent, onRestart)
        links.framing = receiver.framing
        return LinkSink.socket(receiver.address, links) { messages.say($0) }
      case .descriptor(let descriptor, let name):
        return try StreamSink(descriptor: descriptor, name: name, header: header)
      }
    } catch {
      throw .output(error)
    }
  }

  private static func linkOptions(
    _ header: [UInt8], _ binaryContent: BinaryContent?, _ onRestart: RestartPolicy
  ) -> LinkOptions {
    var options = LinkOptions()
    options.onRestart = onRestart
    options.header = header
    options.binary = binaryContent
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
    let (output, binaryContent, messages) = (opened.configuration, opened.binaryContent, messages)
    let waitsForRoom = canWait && output.overflow != .drop
    let options = spoolOptions(output, binaryContent, waitsForRoom: waitsForRoom)
    let spool = try aside("looking through the spool") {
      Result { () throws(SpoolError) in try Spool(options) }.mapError { .spool($0) }
    }
    do {
      let running = try Output(
        to: opened.sink.take(), spool: spool,
        options: Output.Options(triesAgain: configuration.followsLog, warn: { messages.say($0) }))
      return Route(
        output, to: running, binaryContent: binaryContent, waitsForRoom: waitsForRoom,
        now: clock.now())
    } catch {
      throw .spool(error)
    }
  }

  /// What an output may take in memory: what it was given, or an equal part of what the others leave.
  private func spoolBytes(_ output: OutputConfiguration) -> Int {
    if let bytes = output.spoolBytes { return bytes }
    let outputs = configuration.outputs
    let given = outputs.reduce(0) { $0 + ($1.spoolBytes ?? 0) }
    let sharers = outputs.count { $0.spoolBytes == nil }
    return max(Self.spoolBytesMin, (configuration.process.spoolBytes - given) / sharers)
  }

  private static let spoolBytesMin = 1 << 20

  private func spoolOptions(
    _ output: OutputConfiguration, _ binaryContent: BinaryContent?, waitsForRoom: Bool
  ) -> Spool.Options {
    var spool = Spool.Options(
      limitBytes: spoolBytes(output), overflow: waitsForRoom ? .block : .drop,
      interruptDescriptor: mailbox.descriptor)
    let messages = messages
    if let directory = output.spoolDirectory {
      spool.disk = Spool.DiskOptions(
        directory: directory, limitBytes: output.spoolDiskBytes, content: binaryContent
      ) { messages.say($0) }
    } else if waitsForRoom {
      spool.limitBytes = min(spool.limitBytes, Self.waitingSpoolBytes)
      spool.blockBytes = Self.waitingBlockBytes
    }
    return spool
  }
}
