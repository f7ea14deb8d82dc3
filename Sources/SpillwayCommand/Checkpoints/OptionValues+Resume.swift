import Checkpoints
import Glibc
import LogReading
import Pipeline
import Shipping

/// Resuming where an earlier run ended.
extension OptionValues {
  /// The checkpoint's file name in the directory for a service's state.
  static let checkpointName = "checkpoint"

  /// The checkpoint that `--resume` names.
  func checkpoint(_ text: String?) throws(UsageError) -> String? {
    guard let text else { return nil }
    guard !text.isEmpty else { throw UsageError("--resume: no path") }
    return absolute(text)
  }

  /// The checkpoint in the directory that systemd has made for a service's state; nil if there is none.
  var usualCheckpoint: String? {
    guard
      let directory = InstanceName.variable("STATE_DIRECTORY")?.split(separator: ":").first.map(String.init),
      isDirectory(directory)
    else { return nil }
    return absolute("\(directory)/\(Self.checkpointName)")
  }

  /// When files are synced to disk; nil if the option isn't given.
  func sync(_ text: String?) throws(UsageError) -> SyncPolicy? {
    guard let text else { return nil }
    do {
      return try SyncPolicy(text)
    } catch {
      throw UsageError("--sync: \(error)")
    }
  }
}

extension Configuration {
  /// Refuses a checkpoint from which a later run couldn't resume.
  func checkCheckpoint() throws(UsageError) {
    guard let path = process.resume else { return }
    try checkThatInputStays()
    try checkNames(outputs.map(\.displayName))
    var file = OutputConfiguration()
    file.target = .file(FileOptions(path: path))
    let own = file.resources.map(\.identity)
    if outputs.contains(where: { $0.resources.contains { own.contains($0.identity) } }) {
      throw Self.refusal(
        "\"\(path)\" is an output's already", hint: "expected a file for the checkpoint alone")
    }
  }

  /// Refuses names under which a later run couldn't find its outputs in the checkpoint.
  private func checkNames(_ names: [String]) throws(UsageError) {
    guard names.count <= CheckpointFile.outputsMax else {
      throw Self.refusal(
        "\(names.count) outputs", hint: "a checkpoint has room for \(CheckpointFile.outputsMax)")
    }
    var former: Set<String> = []
    for name in names {
      if !former.insert(name).inserted {
        throw Self.refusal(
          "two outputs are called \"\(name)\"",
          hint: "a checkpoint tells them apart by their names, which 'spillway run' lets you choose")
      }
      if name.utf8.count > CheckpointFile.nameBytesMax {
        throw Self.refusal(
          "an output's name has \(name.utf8.count) bytes",
          hint:
            "a checkpoint has room for \(CheckpointFile.nameBytesMax); 'spillway run' lets you choose names")
      }
    }
  }

  /// Refuses inputs that a later run can't read again, such as standard input and pipes.
  private func checkThatInputStays() throws(UsageError) {
    guard case .captured(let capture) = input.source else { return }
    guard !capture.merges, capture.inputs.count == 1, let path = capture.inputs.first else {
      throw Self.refusal(
        capture.merges ? "logs that are merged" : "\(capture.inputs.count) captured logs",
        hint: "expected one log, as a checkpoint is of one")
    }
    if path == "-" {
      throw Self.refusal("standard input can't be read again", hint: "expected a live log, or a file to read")
    }
    var status = stat()
    // A missing file is reported when it is opened.
    guard unsafe stat(path, &status) == 0, [S_IFIFO, S_IFCHR, S_IFSOCK].contains(status.st_mode & S_IFMT)
    else {
      return
    }
    throw Self.refusal("\(path) can't be read again", hint: "expected a live log, or a regular file to read")
  }

  private static func refusal(_ found: String, hint: String) -> UsageError {
    UsageError("--resume: \(found): \(hint)", inSettings: .init("resume", found, hint: hint))
  }
}
