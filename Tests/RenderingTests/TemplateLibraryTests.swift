import Glibc
@testable import Rendering
import TestSupport
import Testing

@Suite("Finding templates")
struct TemplateLibraryTests {
  @Test("looks at the earlier directories first, then at what is compiled in")
  func shadowing() throws {
    let first = try TemporaryDirectory()
    let second = try TemporaryDirectory()
    try first.write("summary: first\nformat: 1", to: "mine.format")
    try second.write("summary: second\nformat: 2", to: "mine.format")
    try second.write("summary: other\nformat: 3", to: "json.format")
    try second.write("no template at all", to: "README.md")
    try second.write("format: hidden", to: ".hidden.format")
    let library = TemplateLibrary(directories: [first.path, "/nonexistent/formats", second.path])
    #expect(try library.template("mine").summary == "first")
    #expect(try library.template("mine").origin == .file("\(first.path)/mine.format"))
    #expect(try library.template("json").summary == "other")
    #expect(try library.template("ecs").origin == .builtIn)
    let entries = library.list()
    #expect(entries.map(\.name) == (BuiltinTemplates.names + ["mine"]).sorted())
    #expect(entries.first { $0.name == "mine" }?.summary == "first")
    #expect(entries.first { $0.name == "json" }?.origin == .file("\(second.path)/json.format"))
    #expect(library.problems() == [])
  }

  @Test("lists a broken file with its error, and hides nothing else for it")
  func broken() throws {
    let folder = try TemporaryDirectory()
    try folder.write("format: %z", to: "combined.format")
    try folder.write("format: %m", to: "fine.format")
    symlink("/nonexistent/file", "\(folder.path)/gone.format")
    mkfifo("\(folder.path)/pipe.format", 0o600)
    let library = TemplateLibrary(directories: [folder.path])
    let entries = library.list()
    #expect(entries.map(\.name) == (BuiltinTemplates.names + ["fine", "gone", "pipe"]).sorted())
    func error(_ name: String) -> String? {
      guard case .failure(let error)? = entries.first(where: { $0.name == name })?.template else {
        return nil
      }
      return error.description
    }
    #expect(
      error("combined")
        == "\(folder.path)/combined.format:1: format: Unknown format specifier at: %z")
    #expect(error("fine") == nil)
    #expect(
      error("gone")
        == "\(folder.path)/gone.format: No such file or directory; there is no /nonexistent")
    #expect(error("pipe") == "\(folder.path)/pipe.format: not a regular file")
    let thrown = #expect(throws: TemplateError.self) { _ = try library.template("combined") }
    #expect(thrown?.line == 1)
  }

  @Test("takes a path where there is a slash")
  func paths() throws {
    let folder = try TemporaryDirectory()
    try folder.write("format: %m", to: "mine.format")
    try folder.write("format: %m", to: "odd name")
    let library = TemplateLibrary(directories: [])
    #expect(try library.template("\(folder.path)/mine.format").name == "mine")
    #expect(try library.template("\(folder.path)/odd name").name == "odd name")
    let missing = #expect(throws: TemplateError.self) {
      _ = try library.template("./nowhere.format")
    }
    #expect(missing?.description == "./nowhere.format: No such file or directory")
    let directory = #expect(throws: TemplateError.self) {
      _ = try library.template("\(folder.path)/")
    }
    #expect(directory?.description == "\(folder.path)/: Is a directory")
    let endless = #expect(throws: TemplateError.self) { _ = try library.template("/dev/zero") }
    #expect(endless?.reason == .tooLong)
  }

  @Test(
    "says what there is instead",
    arguments: [
      ("jsn", "jsn: no such template; did you mean json?"),
      ("vhost-combined", "vhost-combined: no such template; did you mean vhost_combined?"),
      (
        "syslog",
        "syslog: no such template; there are \(BuiltinTemplates.names.joined(separator: ", "))"
      ),
    ])
  func unknown(name: String, message: String) {
    let error = #expect(throws: TemplateError.self) {
      _ = try TemplateLibrary(directories: []).template(name)
    }
    #expect(error?.description == message)
  }

  @Test("knows the usual directories, in their order")
  func standard() {
    func directories(_ given: String?, _ environment: [String: String], _ executable: String?)
      -> [String]
    {
      TemplateLibrary.standardDirectories(
        formatsDirectory: given, environment: environment, executablePath: executable)
    }
    let home = ["HOME": "/home/ann"]
    #expect(
      directories(
        "mine", home.merging(["XDG_CONFIG_HOME": "/cfg"]) { $1 }, "/usr/local/bin/spillway")
        == [
          "mine", "/cfg/spillway/formats", "/etc/spillway/formats",
          "/usr/local/share/spillway/formats",
        ])
    #expect(
      directories(nil, home.merging(["XDG_CONFIG_HOME": "relative"]) { $1 }, "/bin/spillway")
        == [
          "/home/ann/.config/spillway/formats", "/etc/spillway/formats", "/share/spillway/formats",
        ])
    #expect(directories(nil, [:], nil) == ["/etc/spillway/formats"])
  }
}

extension TemporaryDirectory {
  fileprivate func write(_ text: String, to name: String) throws {
    try writeFile(file(name), text.utf8)
  }
}
