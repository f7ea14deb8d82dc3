import Glibc
public import Platform
public import Spool

/// How a file output begins.
extension FileSink {
  /// Opens what a path leads to: a file of its own, or a stream when it is a pipe or a device.
  /// - Parameters:
  ///   - warn: Told, in one line, what is odd but does not stop the output; called on any thread.
  /// - Throws: `SinkError` when it cannot be opened for writing.
  public static func open(
    _ options: FileOptions, at now: Moment = .now(),
    warn: @escaping @Sendable (String) -> Void
  ) throws(SinkError) -> any Sink {
    let system = SystemCalls.real
    let place = options.expandsName ? .file(options.path) : try FilePlace.find(options.path, system)
    if case .file = place {
      let sink = try FileSink(options, at: now, system: system, warn: warn)
      if options.gzipLevel == nil, options.path.hasSuffix(".gz") {
        warn("\(options.path): is written as it is, in spite of its name; --gzip compresses")
      }
      return sink
    }
    if let option = options.needsFile {
      throw SinkError(
        target: options.path, operation: "open", refusal: "\(option) needs a file, which this is not")
    }
    return try openStream(place, options, system, warn)
  }

  /// The path of the file itself, where links have led to it.
  static func place(_ options: FileOptions, _ system: SystemCalls) throws(SinkError) -> String {
    if options.expandsName {
      let naming = naming(options.path, options)
      guard let root = system.realPath(naming.root), FilePlace.isSystemDirectory(root) else {
        return options.path
      }
      throw SinkError(target: options.path, operation: "open", refusal: "files aren't made in \(root)")
    }
    if case .file(let path) = try FilePlace.find(options.path, system) { return path }
    throw SinkError(target: options.path, operation: "open", refusal: "is no file")
  }

  static func naming(_ path: String, _ options: FileOptions) -> FileNaming {
    FileNaming(template: path, expandsTime: options.expandsName, isCompressed: options.gzipLevel != nil)
  }

  /// Goes where the name leads by now, should it be a link that was replaced.
  func followLink() {
    guard !options.expandsName, case .file(let path)? = try? FilePlace.find(options.path, system),
      path != naming.template
    else { return }
    series = FileSeries(Self.naming(path, options), system)
    let waiting = upkeep.waiting
    upkeep = Upkeep()
    upkeep.waiting = waiting
    upkeep.hasLeftovers = isSeries
    inherited = nil
  }

  /// Refuses what could never work.
  func checkOptions() throws(SinkError) {
    if retention.isLimited, !naming.isRecognisable {
      throw SinkError(
        target: options.path, operation: "keep",
        refusal: "finished files cannot be told from others by this name")
    }
    if options.link == options.path || options.link == naming.template {
      throw SinkError(
        target: options.path, operation: "symlink", refusal: "--symlink must not be the file itself")
    }
    try checkLink()
  }

  private static func openStream(
    _ place: FilePlace, _ options: FileOptions, _ system: SystemCalls,
    _ warn: @escaping @Sendable (String) -> Void
  ) throws(SinkError) -> any Sink {
    let descriptor: Int32
    do {
      switch place {
      case .pipe(let path):
        // Opened when somebody reads it, whoever that is and whenever.
        var links = LinkOptions()
        links.onRestart = options.onRestart
        links.header = options.header
        links.binary = options.binary
        return try LinkSink.fifo(path, links, system: system, warn: warn)
      case .descriptor(let number):
        descriptor = try system.duplicate(number)
      case .stream(let path), .file(let path):
        descriptor = try system.open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY)
      }
    } catch let error as Errno {
      throw SinkError(target: options.path, operation: "open", errno: error)
    } catch let error as SinkError {
      throw error
    } catch {
      preconditionFailure("\(error)")
    }
    return try StreamSink(
      descriptor: descriptor, name: options.path, header: options.header, binary: options.binary,
      ownsDescriptor: true, system: system)
  }
}

extension FileOptions {
  /// The first option that has no effect on anything but a file; nil if there is none.
  fileprivate var needsFile: String? {
    let options = [
      ("--rotate-size", rotateBytes != nil), ("--rotate-every", rotateEverySeconds != nil),
      ("--keep", keep != nil), ("--keep-for", keepSeconds != nil), ("--keep-bytes", keepBytes != nil),
      ("--symlink", link != nil), ("--post-rotate", postRotate != nil), ("--gzip", gzipLevel != nil),
      ("--mode", attributes.mode != nil), ("--owner", attributes.owner != nil || attributes.group != nil),
    ]
    return options.first { $0.1 }?.0
  }
}
