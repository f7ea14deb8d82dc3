/// How a file output's files are called, while they grow and once they are finished.
///
///     template                current                   finished
///     access.log              access.log                access.log.20261121T120000
///     access.log.gz           access.log.gz             access.log.20261121T120000.gz
///     access.log (gzip)       access.log                access.log.20261121T120000.gz
///     access-%d.log           access-21.log             as it is, or as above if cut by size
///
/// A name that is taken already gets `-2`, `-3` … behind the time.
struct FileNaming: Sendable {
  let template: String
  let isCompressed: Bool
  /// Whether the template has conversions that are to be expanded.
  let expandsTime: Bool
  /// The names that the last part of the template makes; nil if they cannot be recognised.
  private let pattern: TimePattern?
  private let closingPattern: TimePattern?

  private static let timeFormat = "%Y%m%dT%H%M%S"
  private static let timeCount = 15
  private static let suffix = ".gz"

  init(template: String, expandsTime: Bool, isCompressed: Bool) {
    self.template = template
    self.isCompressed = isCompressed
    self.expandsTime = expandsTime && template.contains("%")
    pattern = self.expandsTime ? try? TimePattern(Self.fileName(of: template)) : nil
    closingPattern = try? TimePattern(Self.timeFormat)
  }

  /// Whether finished files can be told from others.
  var isRecognisable: Bool { !expandsTime || pattern != nil }

  /// The path to open at a moment; nil when the template expands to nothing or too much.
  func current(at wallSeconds: Int64) -> String? {
    guard expandsTime else { return template }
    return LocalTime.expand(template, LocalTime.fields(at: wallSeconds))
  }

  /// The name under which a file is put away, by the time of its closing.
  /// - Parameter attempt: 1, or more when the names of the attempts before it are taken.
  func finished(_ current: String, at wallSeconds: Int64, attempt: Int) -> String {
    let time = LocalTime.expand(Self.timeFormat, LocalTime.fields(at: wallSeconds)) ?? ""
    let count = attempt > 1 ? "-\(attempt)" : ""
    return Self.stem(of: current) + "." + time + count + (isGzip(current) ? Self.suffix : "")
  }

  /// The name of a compressed file whose own does not say so; nil if there is nothing to add.
  func withSuffix(_ current: String) -> String? {
    isCompressed && !current.hasSuffix(Self.suffix) ? current + Self.suffix : nil
  }

  /// What decides the order of finished files, oldest first.
  struct Age: Comparable {
    var nameTime: TimePattern.Reading
    var closingTime: String
    var attempt: Int

    static func < (left: Age, right: Age) -> Bool {
      if left.nameTime != right.nameTime {
        return left.nameTime.lexicographicallyPrecedes(right.nameTime)
      }
      return (left.closingTime, left.attempt) < (right.closingTime, right.attempt)
    }
  }

  /// The age of a file, from its name without directories; nil if this scheme never makes it.
  func age(ofFileName name: String) -> Age? {
    let stem = Self.stem(of: name)
    // A name that the template itself makes: closed after all that were cut from it by size. Without a time in
    // it, it is always that of the current file.
    for candidate in expandsTime ? [name, stem] : [] {
      if let time = nameTime(of: candidate) {
        return Age(nameTime: time, closingTime: "~", attempt: 0)
      }
    }
    guard let dot = stem.lastIndex(of: "."),
      let (closing, attempt) = closing(stem[stem.index(after: dot)...])
    else { return nil }
    let base = String(stem[..<dot])
    for candidate in [base, base + Self.suffix] {
      if let time = nameTime(of: candidate) {
        return Age(nameTime: time, closingTime: closing, attempt: attempt)
      }
    }
    return nil
  }

  /// The time that a name without directories says if the template itself makes that name: one of a file that
  /// is being written or that ended with its period.
  func time(ofFileName name: String) -> TimePattern.Reading? { nameTime(of: name) }

  /// The directory part of a path.
  static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part of a path.
  static func fileName(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  private func isGzip(_ current: String) -> Bool {
    isCompressed || current.hasSuffix(Self.suffix)
  }

  private static func stem(of name: String) -> String {
    name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
  }

  /// The time that a name without additions says, or nil if the template does not make that name.
  private func nameTime(of name: String) -> TimePattern.Reading? {
    if expandsTime { return pattern?.read(name) }
    return name == Self.fileName(of: template) ? [] : nil
  }

  /// Takes `20261121T120000` or `20261121T120000-2` apart.
  private func closing(_ text: Substring) -> (String, Int)? {
    let time = String(text.prefix(Self.timeCount))
    guard closingPattern?.read(time) != nil else { return nil }
    let rest = text.dropFirst(Self.timeCount)
    if rest.isEmpty { return (time, 1) }
    guard rest.first == "-", let attempt = Int(rest.dropFirst()), attempt > 1,
      rest.dropFirst() == "\(attempt)"
    else { return nil }
    return (time, attempt)
  }
}
