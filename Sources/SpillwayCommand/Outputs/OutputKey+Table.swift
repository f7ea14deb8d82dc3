import Compression
import LogQuery
import Pipeline
import Settings
import Shipping

extension OutputKey {
  /// The settings that every output may have, besides its target.
  static let common = lines + groups + selection + files + waiting

  /// The settings for the target and for what is shown, which the other settings depend on.
  static let targets: [OutputKey] = [
    .text("file", \.output.w, option: "-w", scope: .target, expecting: "a path") { text, _ in
      if text.isEmpty { throw Expectation("a path") }
    },
    .text("exec", \.output.exec, scope: .target, expecting: "a command") { text, _ in
      if text.allSatisfy(\.isWhitespace) { throw Expectation("a command") }
    },
    .text("socket", \.output.socket, scope: .target, expecting: "unix:PATH or tcp:HOST:PORT") { text, _ in
      _ = try SocketReceiver(text)
    },
    .flag("standard-output", \.isStandardOutput, option: "-w -", scope: .target),
    OutputKey("show", \.shown, option: "-A", scope: .target) { reader, request, _ in
      let shown = reader.take("show", expecting: "lines, groups or records") { (text) throws(Expectation) in
        guard let shown = OutputRequest.Shown(rawValue: text) else {
          throw Expectation("lines, groups or records")
        }
        return shown
      }
      if let shown { request.shown = shown }
    },
  ]

  private static let lines: [OutputKey] = [
    .text(
      "format", \.format.format, scope: .lines, expecting: "a template's name",
      displacing: ["format-text", "format-file", "json"]
    ) { _, _ in },
    list(
      "format-text", \.format.text, option: "-F", scope: .lines, expecting: "a format",
      displacing: ["format", "format-file"]),
    list(
      "format-file", \.format.f, option: "-f", scope: .lines, expecting: "a path",
      displacing: ["format", "format-text"]),
    .flag("json", \.format.j, option: "-j", scope: .lines, displacing: ["format"]),
  ]

  private static let groups: [OutputKey] = [
    .flag("verbose", \.isVerbose, option: "-v", scope: .groups),
    // Taken before the rules, which depend on it.
    .flag("caseless", \.isCaseless, option: "-C"),
    OutputKey("tags", \.rules, option: "-i, -x, -I and -X", scope: .groups) { reader, request, _ in
      if let rules = RecordRule.take("tags", &reader, isCaseless: request.isCaseless) {
        request.rules = rules
      }
    },
  ]

  private static let selection: [OutputKey] = [
    .flag("unbuffered", \.isUnbuffered, option: "-u"),
    OutputKey("side", \.side, option: "-b and -c") { reader, request, _ in
      let side = reader.take("side", expecting: "client, backend or both") { (text) throws(Expectation) in
        guard ["client", "backend", "both"].contains(text) else {
          throw Expectation("client, backend or both")
        }
        return OutputRequest.Side(client: text != "backend", backend: text != "client")
      }
      if let side { request.side = side }
    },
    .flag("esi", \.includesESI, option: "-E"),
    OutputKey("grouping", \.grouping, option: "-g") { reader, request, values in
      let hasLines = request.shown == .lines
      let names = hasLines ? "vxid or request" : "vxid, request, session or raw"
      let grouping = reader.take("grouping", expecting: names) { (text) throws(Expectation) in
        do {
          if hasLines { _ = try values.lineGrouping(text) } else { _ = try values.grouping(text) }
        } catch {
          throw Expectation(names)
        }
        return text
      }
      if let grouping { request.grouping = grouping }
    },
    OutputKey("query", \.queries, option: "-q", displacing: ["query-file"]) { reader, request, _ in
      request.queries += (reader.takeList("query", expecting: "a query") ?? []).map {
        .text($0.argumentBytes)
      }
    },
    OutputKey("query-file", \.queries, option: "-Q", displacing: ["query"]) { reader, request, values in
      // The file may be a pipe, which can be read only once.
      let texts = reader.takeList("query-file", expecting: "a path") { (path) throws(UsageError) in
        do throws(QueryFileError) {
          return try QueryFile.read(values.pathToRead(path))
        } catch {
          throw UsageError(error.reason)
        }
      }
      request.queries += (texts ?? []).map { .text($0) }
    },
    .text("rate-limit", \.rate, option: "-R", expecting: rateText) { text, values in
      try expecting(rateText) { _ = try values.rateLimit(text) }
    },
    .text("sample", \.sample, expecting: "a part of the whole, like 1/10, 10% or 0.1") { text, values in
      _ = try values.sample(text)
    },
  ]

  /// The number of groups after which an output ends; outputs in a configuration file have no such limit.
  static let limit = OutputKey.text("limit", \.count, option: "-k", expecting: "a number above 0") {
    text, values in try expecting("a number above 0") { _ = try values.count(text) }
  }

  private static let rateText = "a limit, like 100, 10/m or 1/10s"

  private static func expecting(_ expected: String, _ read: () throws -> Void) throws {
    do { try read() } catch { throw Expectation(expected) }
  }

  /// A text whose option may be repeated, only so that a repetition can be reported.
  private static func list(
    _ name: String, _ path: any Path<[String]>, option: String, scope: Scope, expecting: String,
    displacing displaced: [String]
  ) -> OutputKey {
    OutputKey(name, path, option: option, scope: scope, displacing: displaced) { reader, request, _ in
      if let text = reader.take(name, expecting: expecting) { request[keyPath: path] = [text] }
    }
  }

  private static let files: [OutputKey] = [
    .flag("append", \.output.a, option: "-a", scope: .file),
    size("rotate-size", \.output.rotateSize, scope: .file),
    time("rotate-every", \.output.rotateEvery),
    .text("keep", \.output.keep, scope: .file, expecting: "a number") { text, values in
      _ = try values.number(text, option: "--keep", in: OptionValues.keepRange)
    },
    time("keep-for", \.output.keepFor),
    size("keep-bytes", \.output.keepBytes, scope: .file),
    .text("symlink", \.output.symlink, scope: .file, expecting: "a path") { _, _ in },
    .text("post-rotate", \.output.postRotate, scope: .file, expecting: "a command") { _, _ in },
    time("post-rotate-timeout", \.output.postRotateTimeout),
    .text("mode", \.output.mode, scope: .file, expecting: "an octal number") { text, values in
      _ = try values.mode(text)
    },
    .text("owner", \.output.owner, scope: .file, expecting: "USER[:GROUP]") { text, values in
      _ = try values.owner(text)
    },
    .text("sync", \.output.sync, scope: .file, expecting: "a time like 1s, each-batch or never") {
      text, values in _ = try values.sync(text)
    },
    compression(.gzip, \.output.gzip, displacing: .zstd),
    compression(.zstd, \.output.zstd, displacing: .gzip),
  ]

  private static func compression(
    _ format: CompressionFormat, _ path: any Path<String?>, displacing other: CompressionFormat
  ) -> OutputKey {
    let name = format.rawValue
    return OutputKey(name, path, scope: .file, displacing: [other.rawValue]) { reader, request, values in
      let level = reader.takeSwitch(
        name,
        expecting: "yes, no or a level from \(format.levels.lowerBound) to \(format.levels.upperBound)",
        orValue: { text throws in
          _ = try values.compression(text, format)
          return text
        })
      switch level {
      case .off: request[keyPath: path] = nil
      case .on: request[keyPath: path] = "\(format.usualLevel)"
      case .value(let text): request[keyPath: path] = text
      case nil: break
      }
    }
  }

  private static let waiting: [OutputKey] = [
    .text("on-restart", \.output.onRestart, scope: .consumer, expecting: "resend or drop") { text, values in
      _ = try values.restartPolicy(text)
    },
    size("spool-memory", \.output.spoolMemory, scope: .all),
    .text("spool-dir", \.output.spoolDir, expecting: "a directory") { _, _ in },
    size("spool-disk", \.output.spoolDisk, scope: .all),
    .text("overflow", \.output.overflow, expecting: "spill, drop or block") { text, values in
      _ = try values.overflow(text)
    },
    .flag("mark-gaps", \.output.markGaps),
  ]

  private static func size(_ name: String, _ path: any Path<String?>, scope: Scope) -> OutputKey {
    .text(name, path, scope: scope, expecting: "a size, like 100M") { text, values in
      _ = try values.size(text, option: "--\(name)")
    }
  }

  private static func time(_ name: String, _ path: any Path<String?>) -> OutputKey {
    .text(name, path, scope: .file, expecting: "a time, like 15m") { text, values in
      _ = try values.wholeSeconds(text, option: "--\(name)")
    }
  }
}
