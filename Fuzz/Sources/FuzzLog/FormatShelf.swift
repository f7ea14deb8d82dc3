import FuzzSupport
import Rendering
import VarnishLog

/// The formats that inputs choose from; together they use every specifier and every way of escaping.
///
/// Parsed formats are kept: parsing one takes longer than trying an input.
final class FormatShelf {
  /// The required shape of a format's lines, for any log.
  enum Shape {
    /// One JSON value in valid UTF-8, without control characters.
    case json
    /// Valid UTF-8 without control characters.
    case text
    /// Printable ASCII.
    case printable
    /// Any bytes but a line end within.
    case oneLine
    /// Anything that ends in a line end: nothing is escaped.
    case anything
  }

  /// A text or a template; no enumeration, whose pointers the leak detector wouldn't recognise.
  private struct Source {
    var text: [UInt8] = []
    var isJSON = false
    var template: Template?
    var shape: Shape
    /// Whether the escaping is that of the release, as it is for `-F`.
    var escapesAsRelease = true
  }

  private struct Key: Hashable {
    let index: Int
    let version: VarnishVersion
    let isStrict: Bool
  }

  private let sources: [Source]
  private var formats: [Key: (format: LineFormat, shape: Shape)] = [:]

  // libFuzzer calls from one thread only.
  nonisolated(unsafe) static let shared = FormatShelf()

  private init() {
    let text = Self.oldest + Self.newer
    var sources = [
      Source(text: Self.line(text), shape: .printable),
      Source(text: Self.line(Self.oldest), shape: .printable),
      Source(text: Array(Self.jsonObject.utf8), isJSON: true, shape: .json),
      Source(text: Self.line(text), isJSON: true, shape: .oneLine),
    ]
    for (escaping, shape) in [
      ("ncsa", Shape.printable), ("tsv", .oneLine), ("csv", .oneLine), ("logfmt", .text),
      ("w3c", .printable), ("url", .printable), ("none", .anything),
    ] {
      // A composite value can't be quoted as one.
      let specifiers = (text + Self.ofTemplates).filter { $0 != "%r" || escaping == "ncsa" }
      let format = specifiers.map { escaping == "logfmt" ? "key=" + $0 : $0 }
        .joined(separator: escaping == "csv" ? "," : " ")
      sources.append(
        Source(
          template: Self.parse("escape: \(escaping)\nformat:\n  \(format)\n"), shape: shape,
          escapesAsRelease: escaping == "ncsa"))
    }
    for entry in TemplateLibrary(directories: []).list() {
      guard case .success(let template) = entry.template else { violated("\(entry.name) is broken") }
      let isJSON = ["json", "ecs", "otel"].contains(entry.name)
      sources.append(
        Source(template: template, shape: isJSON ? .json : .oneLine, escapesAsRelease: !isJSON))
    }
    self.sources = sources
  }

  private static func line(_ specifiers: [String]) -> [UInt8] {
    Array(specifiers.joined(separator: " ").utf8)
  }

  private static func parse(_ source: String) -> Template {
    do {
      return try Template(parsing: Array(source.utf8), name: "fuzz", origin: .builtIn)
    } catch {
      violated("\(error)")
    }
  }

  /// A format, and the required shape of its lines.
  ///
  /// A release that doesn't know all of a format's specifiers gets the default format instead.
  func format(at index: Int, rules: NCSARules) -> (format: LineFormat, shape: Shape) {
    let key = Key(index: index % sources.count, version: rules.version, isStrict: rules.isStrict)
    if let known = formats[key] { return known }
    let new = make(sources[key.index], rules: rules)
    formats[key] = new
    return new
  }

  private func make(_ source: Source, rules: NCSARules) -> (format: LineFormat, shape: Shape) {
    do throws(FormatError) {
      if let template = source.template {
        let format = try template.lineFormat(rules: rules)
        let shape = source.shape
        return (format, source.escapesAsRelease ? Self.shape(shape, isJSON: false, rules) : shape)
      }
      let format = try LineFormat(source.text, rules: rules, isJSON: source.isJSON)
      return (format, Self.shape(source.shape, isJSON: source.isJSON, rules))
    } catch {
      do throws(FormatError) {
        return (
          try LineFormat(nil, rules: rules, isJSON: false), Self.shape(.printable, isJSON: false, rules)
        )
      } catch {
        violated("the default format is refused: \(error)")
      }
    }
  }

  /// Old releases escape nothing, and strict rules for `-j` let any byte above 0x7f through.
  private static func shape(_ shape: Shape, isJSON: Bool, _ rules: NCSARules) -> Shape {
    if isJSON { return rules.isStrict ? .oneLine : shape }
    return rules.version < VarnishVersion(4, 0, 0) ? .anything : shape
  }

  /// The specifiers that every release knows.
  private static let oldest = [
    "%h", "%l", "%u", "%t", "%r", "%s", "%b", "%D", "%H", "%m", "%q", "%T", "%U", "%{Referer}i",
    "%{User-agent}i", "%{Host}i", "%{Content-Type}o", "%{Age}o", "%{%d/%b/%Y:%T %z}t",
    "%{Varnish:time_firstbyte}x", "%{Varnish:hitmiss}x", "%{Varnish:handling}x", "%{VCL_Log:key}x",
  ]
  private static let newer = [
    "%I", "%O", "%{sec}t", "%{msec}t", "%{usec}t", "%{msec_frac}t", "%{usec_frac}t", "%{s}T", "%{ms}T",
    "%{us}T", "%{Vinyl:side}x", "%{Varnish:vxid}x", "%{VSL:ReqStart[2]}x", "%{VSL:Timestamp:Resp[2]}x",
    "%{VSL:VCL_call}x", "%{VSL:RespHeader:Server}x", "%{VSL:Begin[3]}x", "%{VSL:Link}x",
  ]
  private static let ofTemplates = [
    "%%", "%{Spillway:time}x", "%{Spillway:time_ns}x", "%{Spillway:duration}x", "%{Spillway:duration_ns}x",
    "%{Spillway:query}x", "%{Spillway:protocol_version}x", "%{Spillway:host}x", "%{Spillway:port}x",
    "%{Spillway:port:80}x", "%{Spillway:utc:%a %d %b}x",
  ]
  private static let jsonObject =
    #"{"h":"%h","u":"%u","t":"%t","r":"%r","s":"%s","b":"%b","D":"%D","H":"%H","I":"%I","m":"%m","O":"%O","#
    + #""q":"%q","T":"%T","U":"%U","ua":"%{User-agent}i","host":"%{Host}i","ct":"%{Content-Type}o","#
    + #""f":"%{Varnish:time_firstbyte}x","hm":"%{Varnish:hitmiss}x","hd":"%{Varnish:handling}x","#
    + #""v":%{Varnish:vxid}x,"k":"%{VCL_Log:key}x","p":"%{VSL:ReqStart[2]}x","d":"%{VSL:Debug}x","#
    + #""g":"%{VSL:H2RxHdr}x"}"#
}
