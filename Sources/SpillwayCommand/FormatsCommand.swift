import ArgumentParser
import Glibc
import Platform
import Rendering

/// `spillway formats`: lists, prints and checks templates.
struct FormatsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "formats",
    abstract: "List, print and check templates.",
    discussion: """
      A template is a file that says what lines look like. Those found are listed with where they come \
      from; 'spillway ncsa --format NAME' uses one.
      """,
    subcommands: [List.self, Show.self, Check.self], defaultSubcommand: List.self)

  /// Where templates are looked for.
  struct Place: ParsableArguments {
    @Option(help: ArgumentHelp("A directory to look for templates in first.", valueName: "dir"))
    var formatsDir: String?

    func library() throws -> TemplateLibrary {
      try loading { try OptionValues().templates(directory: formatsDir) }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List the templates there are.")
    @OptionGroup var place: Place

    func run() throws {
      let library = try place.library()
      let entries = library.list()
      let nameWidth = entries.map(\.name.count).max() ?? 0
      var hasFailed = false
      for entry in entries {
        let name = entry.name + String(repeating: " ", count: nameWidth - entry.name.count)
        switch entry.template {
        case .success:
          print(VisibleText.oneLine("\(name)  \(entry.summary)  (\(Self.text(entry.origin)))"))
        case .failure(let error):
          hasFailed = true
          SpillwayCommand.complain(error.description, as: "spillway")
        }
      }
      for problem in library.problems() {
        hasFailed = true
        SpillwayCommand.complain(problem.description, as: "spillway")
      }
      if hasFailed { throw ExitCode(ExitStatus.failure) }
    }

    private static func text(_ origin: Template.Origin) -> String {
      switch origin {
      case .builtIn: "built in"
      case .file(let path): path
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Print a template's file.")
    @OptionGroup var place: Place

    @Argument(help: "The template's name, or the path of a file.")
    var name: String

    func run() throws {
      let template = try loading { try place.library().template(name) }
      var bytes = template.source
      // A copy must be the same byte for byte; on a terminal, only visible characters are shown.
      if isatty(1) == 1 { bytes = Array(VisibleText.lines(String(decoding: bytes, as: UTF8.self)).utf8) }
      _ = unsafe write(1, bytes, bytes.count)
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check",
      abstract: "Run the examples of templates.",
      discussion: "Without names, of all there are. The exit status is 1 if one comes out differently.")
    @OptionGroup var place: Place

    @Argument(help: "Names or paths of templates.")
    var names: [String] = []

    func run() throws {
      let library = try place.library()
      var failures = 0
      for name in names.isEmpty ? library.list().map(\.name) : names {
        do {
          let template = try library.template(name)
          let failed = template.check()
          for failure in failed { print(VisibleText.lines(failure.description)) }
          failures += failed.count
          print("\(VisibleText.oneLine(name)): \(template.exampleCount) examples, \(failed.count) failed")
          if let remark = template.remark { print("\(VisibleText.oneLine(name)): \(remark)") }
        } catch {
          failures += 1
          SpillwayCommand.complain("\(error)", as: "spillway")
        }
      }
      if failures > 0 { throw ExitCode(ExitStatus.failure) }
    }
  }
}

/// Turns an error in loading templates into a line and the exit status for it.
private func loading<T>(_ body: () throws -> T) throws -> T {
  do {
    return try body()
  } catch {
    SpillwayCommand.complain("\(error)", as: "spillway")
    throw ExitCode(ExitStatus.failure)
  }
}
