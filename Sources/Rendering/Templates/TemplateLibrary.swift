import Platform
/// A template in a list, usable or not.
public struct TemplateEntry: Sendable {
  /// The template's name.
  public let name: String
  /// The template's origin.
  public let origin: Template.Origin
  /// The template, or why it can't be used.
  public let template: Result<Template, TemplateError>

  /// The template's purpose; empty if the template doesn't tell or can't be used.
  public var summary: String { (try? template.get())?.summary ?? "" }
}

/// All templates there are: those in directories, then those compiled in.
///
/// A template in an earlier place hides those of the same name in later ones, even if it is broken: a
/// template that the user meant is never silently replaced by another.
public struct TemplateLibrary: Sendable {
  /// The directories, in the order in which they are searched.
  public let directories: [String]

  /// A library of these directories and the templates compiled in.
  public init(directories: [String]) { self.directories = directories }

  /// The directories that are searched for templates.
  ///
  /// - Parameters:
  ///   - formatsDirectory: a directory that comes before all others.
  ///   - environment: the environment's variables.
  ///   - executablePath: where the program is, symbolic links resolved.
  public static func standardDirectories(
    formatsDirectory: String?, environment: [String: String], executablePath: String?
  ) -> [String] {
    var directories: [String] = []
    if let formatsDirectory { directories.append(formatsDirectory) }
    // The variable's specification says that a relative path is to be ignored.
    if let config = environment["XDG_CONFIG_HOME"], config.hasPrefix("/") {
      directories.append(config + "/spillway/formats")
    } else if let home = environment["HOME"], home.hasPrefix("/") {
      directories.append(home + "/.config/spillway/formats")
    }
    directories.append("/etc/spillway/formats")
    if let executablePath {
      let steps = executablePath.split(separator: "/", omittingEmptySubsequences: true)
      if executablePath.hasPrefix("/"), steps.count >= 2 {
        let prefix = steps.dropLast(2).map { "/" + $0 }.joined()
        directories.append(prefix + "/share/spillway/formats")
      }
    }
    return directories
  }

  /// All templates that can be named, in order of names.
  public func list() -> [TemplateEntry] {
    var entries: [String: TemplateEntry] = [:]
    for directory in directories {
      // Unreadable directories are reported by `problems`.
      for name in (try? TemplateFile.names(in: directory)) ?? [] where entries[name] == nil {
        let path = Self.path(of: name, in: directory)
        entries[name] = TemplateEntry(
          name: name, origin: .file(path),
          template: Result { () throws(TemplateError) in
            try Self.read(path, name: name)
          })
      }
    }
    for name in BuiltinTemplates.names where entries[name] == nil {
      entries[name] = TemplateEntry(
        name: name, origin: .builtIn,
        template: Result { () throws(TemplateError) in
          try Self.builtIn(name)
        })
    }
    return entries.values.sorted { $0.name < $1.name }
  }

  /// The directories that exist but can't be read.
  public func problems() -> [TemplateError] {
    directories.compactMap { directory in
      do throws(TemplateError) {
        _ = try TemplateFile.names(in: directory)
        return nil
      } catch {
        return error
      }
    }
  }

  /// Finds a template.
  ///
  /// - Parameter nameOrPath: a name; or, if there is a slash in it, a path.
  /// - Throws: `TemplateError` if there is none, or the first one found can't be used.
  public func template(_ nameOrPath: String) throws(TemplateError) -> Template {
    if nameOrPath.utf8.contains(UInt8(ascii: "/")) {
      return try TemplateFile.read(nameOrPath, name: Self.name(ofPath: nameOrPath))
    }
    if TemplateFile.isName(nameOrPath) {
      for directory in directories {
        let path = Self.path(of: nameOrPath, in: directory)
        if TemplateFile.exists(path) { return try Self.read(path, name: nameOrPath) }
      }
    }
    guard BuiltinTemplates.names.contains(nameOrPath) else { throw unknown(nameOrPath) }
    return try Self.builtIn(nameOrPath)
  }

  private static func path(of name: String, in directory: String) -> String {
    "\(directory)/\(name)\(TemplateFile.suffix)"
  }

  private static func name(ofPath path: String) -> String {
    let last = path.split(separator: "/").last.map(String.init) ?? path
    return last.hasSuffix(TemplateFile.suffix)
      ? String(last.dropLast(TemplateFile.suffix.count)) : last
  }

  /// Reads a file that was found in a directory: waiting for a pipe would be unexpected.
  private static func read(_ path: String, name: String) throws(TemplateError) -> Template {
    guard TemplateFile.isOrdinary(path) else {
      throw TemplateError(place: path, reason: .unreadable("not a regular file"))
    }
    return try TemplateFile.read(path, name: name)
  }

  private static func builtIn(_ name: String) throws(TemplateError) -> Template {
    try Template(parsing: BuiltinTemplates.source(of: name), name: name, origin: .builtIn)
  }

  private func unknown(_ name: String) -> TemplateError {
    let known = list().map(\.name)
    var near = EditDistance.names(near: name, among: known)
    // The user may have meant a file in the working directory.
    if TemplateFile.isName(name), TemplateFile.exists(name) { near.append("./" + name) }
    return TemplateError(place: name, reason: .unknownName(near: near, known: known))
  }
}
