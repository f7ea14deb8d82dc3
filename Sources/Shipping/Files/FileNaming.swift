import Compression

/// How a file output's files are called, while they grow and once they are finished.
///
///     template                current                   finished
///     access.log              access.log                access.log.20261121T120000
///     access.log.gz           access.log.gz             access.log.20261121T120000.gz
///     access.log (gzip)       access.log                access.log.20261121T120000.gz
///     access.log (zstd)       access.log                access.log.20261121T120000.zst
///     access-%d.log           access-21.log             as it is, or as above if cut by size
///     %F/access.log           2026-11-21/access.log     likewise
///
/// A name that is taken already gets `-2`, `-3` … behind the time.
struct FileNaming: Sendable {
  let template: String
  /// What files are compressed in; nil if they aren't.
  let compression: CompressionFormat?
  /// Whether the template has conversions that are to be expanded.
  let expandsTime: Bool
  /// The directory that is the same for all files, and the parts of the template below it that are directories.
  let root: String
  let directoryParts: [String]
  /// The names that the last part of the template makes; nil if they cannot be recognised.
  private let pattern: TimePattern?
  private let closingPattern: TimePattern?
  /// The names that the directories below the root have; nil if they cannot be recognised.
  let directoryPatterns: [TimePattern]?

  private static let timeFormat = "%Y%m%dT%H%M%S"
  private static let timeCount = 15
  /// The suffix of finished files if they are compressed, or if the template has such a suffix.
  let suffix: String
  /// The suffixes that programs append to the name of a file that they compress.
  static let compressedSuffixes = [".gz", ".zst", ".xz", ".bz2", ".lz4", ".br"]

  init(template: String, expandsTime: Bool, compression: CompressionFormat?) {
    self.template = template
    self.compression = compression
    suffix = (compression ?? .named(template) ?? .gzip).suffix
    self.expandsTime = expandsTime && template.contains("%")
    pattern = self.expandsTime ? try? TimePattern(Self.fileName(of: template)) : nil
    closingPattern = try? TimePattern(Self.timeFormat)
    let directory = Self.directory(of: template)
    guard self.expandsTime, let percent = directory.firstIndex(of: "%") else {
      (root, directoryParts, directoryPatterns) = (directory, [], [])
      return
    }
    let slash = directory[..<percent].lastIndex(of: "/")
    root = slash.map { $0 == directory.startIndex ? "/" : String(directory[..<$0]) } ?? "."
    let rest = directory[(slash.map { directory.index(after: $0) } ?? directory.startIndex)...]
    directoryParts = rest.split(separator: "/").map(String.init)
    directoryPatterns = try? directoryParts.map { try TimePattern($0) }
  }

  /// Whether finished files can be told from other files by their names.
  var isRecognisable: Bool { (!expandsTime || pattern != nil) && directoryPatterns != nil }

  /// The key that tells this output's files from those of other outputs.
  var outputKey: FileOutputKey {
    let parts = directoryParts + [Self.fileName(of: template)]
    return FileOutputKey(
      name: (expandsTime ? "time " : "") + parts.joined(separator: "/"), compression: compression)
  }

  /// The path to open at a moment; nil when the template expands to nothing or too much.
  func current(at wallSeconds: Int64) -> String? {
    guard expandsTime else { return template }
    return unsafe LocalTime.expand(template, LocalTime.fields(at: wallSeconds))
  }

  /// The name under which a file is put away, by the time of its closing.
  /// - Parameter attempt: 1, or more when the names of the attempts before it are taken.
  func finished(_ current: String, at wallSeconds: Int64, attempt: Int) -> String {
    closed(current, at: wallSeconds, attempt: attempt) + (hasSuffix(current) ? suffix : "")
  }

  /// The name under which a file that isn't ours is put aside; never the name of a finished file.
  func aside(_ current: String, _ kind: ForeignKind, at wallSeconds: Int64, attempt: Int) -> String {
    closed(current, at: wallSeconds, attempt: attempt) + "." + kind.rawValue
  }

  private func closed(_ current: String, at wallSeconds: Int64, attempt: Int) -> String {
    let time = unsafe LocalTime.expand(Self.timeFormat, LocalTime.fields(at: wallSeconds)) ?? ""
    return stem(of: current) + "." + time + (attempt > 1 ? "-\(attempt)" : "")
  }

  /// The name with the suffix of a compressed file; nil if files aren't compressed or it has the suffix.
  func withSuffix(_ current: String) -> String? {
    compression != nil && !current.hasSuffix(suffix) ? current + suffix : nil
  }

  /// Whether the template makes this name, without directories, for a compressed file that gets its suffix
  /// when it is finished.
  func lacksSuffix(_ name: String) -> Bool {
    expandsTime && withSuffix(name) != nil && nameTime(of: name) != nil
  }

  /// The current name of the output whose finished files have the same names as this one's, but for their
  /// marks.
  var sibling: String? {
    guard !expandsTime else { return nil }
    return template.hasSuffix(suffix) ? stem(of: template) : template + suffix
  }

  /// What the names of finished files tell about their order, oldest first; used only where files have no
  /// mark that tells it.
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

  /// The age of a file, by its name without directories, also if another process has compressed it; nil if
  /// this output never makes such a name.
  func age(ofFileName name: String) -> Age? {
    let ending = Self.compressedSuffixes.first { name.hasSuffix($0) } ?? ""
    let stem = String(name.dropLast(ending.count))
    // A name that the template itself makes: closed after all files that were cut from it by size. Without a
    // time in the template, it is always the current file's.
    for candidate in expandsTime ? [name, stem] : [] {
      if let time = nameTime(of: candidate) {
        return Age(nameTime: time, closingTime: "~", attempt: 0)
      }
    }
    guard let (base, closing, attempt) = takeApart(stem) else { return nil }
    for candidate in [base, base + suffix] {
      if let time = nameTime(of: candidate) {
        return Age(nameTime: time, closingTime: closing, attempt: attempt)
      }
    }
    return nil
  }

  /// Whether exactly this output gives finished files this name, as it is and not with another suffix.
  func makes(_ name: String) -> Bool {
    let stem = stem(of: name)
    if expandsTime {
      if nameTime(of: name) != nil { return true }
      if compression != nil, stem != name, self.stem(of: stem) == stem, nameTime(of: stem) != nil {
        return true
      }
    }
    guard let (base, _, _) = takeApart(stem) else { return false }
    return [base, base + suffix].contains { candidate in
      nameTime(of: candidate) != nil && hasSuffix(candidate) == (stem != name)
    }
  }

  /// The directory part of a path.
  static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part of a path.
  static func fileName(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// The path of a name in a directory.
  static func path(of name: String, in directory: String) -> String {
    directory.hasSuffix("/") ? directory + name : directory + "/" + name
  }

  private func hasSuffix(_ current: String) -> Bool {
    compression != nil || current.hasSuffix(suffix)
  }

  private func stem(of name: String) -> String {
    name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
  }

  /// The time in a name without additions; nil if the template does not make that name.
  private func nameTime(of name: String) -> TimePattern.Reading? {
    if expandsTime { return pattern?.read(name) }
    return name == Self.fileName(of: template) ? [] : nil
  }

  /// Takes `access.log.20261121T120000-2` apart.
  private func takeApart(_ stem: String) -> (base: String, closing: String, attempt: Int)? {
    guard let dot = stem.lastIndex(of: "."),
      let (closing, attempt) = closing(stem[stem.index(after: dot)...])
    else { return nil }
    return (String(stem[..<dot]), closing, attempt)
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

extension CompressionFormat {
  /// The format that a file's name says it is compressed in; nil if it says nothing.
  static func named(_ path: String) -> CompressionFormat? { allCases.first { path.hasSuffix($0.suffix) } }
}
