import ArgumentParser
import Checkpoints

/// `spillway checkpoint`: shows what a run has stored for the next run.
struct CheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract: "Show how far a run has come, from its checkpoint.",
    discussion: """
      A run with --resume notes in a file what is done of its log, so that the next one can go on there. This \
      prints it: how the log was read, and how far each output is. The file is only read, and its run may go on \
      meanwhile.
      """)

  @Flag(help: "The checkpoint as one JSON document.")
  var json = false

  @Argument(help: "The file.")
  var file: String

  func run() throws {
    let (checkpoint, damage) = try read()
    let boot = CheckpointFile.presentBoot
    try StandardOutput.write(
      json
        ? checkpoint.json(path: file, damage: damage, presentBoot: boot)
        : checkpoint.text(path: file, damage: damage, presentBoot: boot))
  }

  private func read() throws -> (Checkpoint, damage: [CheckpointDamage]) {
    do throws(CheckpointError) {
      return try CheckpointFile.read(file)
    } catch {
      SpillwayCommand.complain(error.description, as: "spillway")
      throw ExitCode(ExitStatus.failure)
    }
  }
}
