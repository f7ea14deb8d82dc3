import Compression
import Glibc
public import Platform
import Spool

/// How a file output begins.
extension FileSink {
  /// Opens what a path leads to: a file of its own, or a stream when it is a pipe or a device.
  /// - Parameters:
  ///   - resumption: The notes of an earlier run, if this run continues it: then an existing file is appended
  ///     to. A stream can't be continued.
  ///   - warn: Called, on any thread, with one line about a trouble that does not stop the output.
  /// - Throws: `SystemError` when it cannot be opened for writing.
  public static func open(
    _ options: FileOptions, resuming resumption: FileResumption? = nil, at now: Moment = .now(),
    warn: @escaping @Sendable (String) -> Void
  ) throws(SystemError) -> any Sink {
    try open(options, resuming: resumption, at: now, system: .real, warn: warn)
  }

  /// The same, by a test's system calls.
  package static func open(
    _ options: FileOptions, resuming resumption: FileResumption? = nil, at now: Moment, system: SystemCalls,
    warn: @escaping @Sendable (String) -> Void
  ) throws(SystemError) -> any Sink {
    let place = options.expandsName ? .file(options.path) : try FilePlace.find(options.path, system)
    if case .file = place {
      let sink = try FileSink(options, resuming: resumption, at: now, system: system, warn: warn)
      if options.compression == nil, let format = CompressionFormat.named(options.path) {
        warn("\(options.path): is written as it is, in spite of its name; --\(format) compresses")
      }
      return sink
    }
    if let option = options.needsFile {
      throw SystemError(
        operation: "open", path: options.path, problem: "\(option) needs a file, which this is not")
    }
    return try openStream(place, options, system, warn)
  }

  /// The path of the file itself, where links have led to it.
  static func place(_ options: FileOptions, _ system: SystemCalls) throws(SystemError) -> String {
    if options.expandsName {
      guard let root = system.realPath(options.naming(options.path).root), FilePlace.isSystemDirectory(root)
      else {
        return options.path
      }
      throw SystemError(operation: "open", path: options.path, problem: "files aren't made in \(root)")
    }
    if case .file(let path) = try FilePlace.find(options.path, system) { return path }
    throw SystemError(operation: "open", path: options.path, problem: "is no file")
  }

  private static func openStream(
    _ place: FilePlace, _ options: FileOptions, _ system: SystemCalls,
    _ warn: @escaping @Sendable (String) -> Void
  ) throws(SystemError) -> any Sink {
    let descriptor: Int32
    do {
      switch place {
      case .pipe(let path):
        // Opened as soon as there is a reader.
        var links = LinkOptions()
        links.onRestart = options.onRestart
        links.content = options.content
        return try LinkSink.fifo(path, links, system: system, warn: warn)
      case .descriptor(let number):
        descriptor = try system.duplicate(number)
      case .stream(let path), .file(let path):
        descriptor = try system.open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY)
      }
    } catch let error as Errno {
      throw SystemError(operation: "open", path: options.path, errno: error)
    } catch let error as SystemError {
      throw error
    } catch {
      preconditionFailure("\(error)")
    }
    return try StreamSink(
      descriptor: descriptor, name: options.path, content: options.content,
      ownsDescriptor: true, system: system)
  }
}

extension FileOptions {
  /// The first option that has no effect on anything but a file; nil if there is none.
  fileprivate var needsFile: String? {
    let options = [
      ("--rotate-size", rotateBytes != nil), ("--rotate-every", rotateEverySeconds != nil),
      ("--keep", keep != nil), ("--keep-for", keepSeconds != nil), ("--keep-bytes", keepBytes != nil),
      ("--symlink", link != nil), ("--post-rotate", postRotate != nil),
      ("--\(compression?.format.rawValue ?? "")", compression != nil),
      ("--mode", attributes.mode != nil), ("--owner", attributes.owner != nil || attributes.group != nil),
      ("--sync", sync != nil),
    ]
    return options.first { $0.1 }?.0
  }
}
