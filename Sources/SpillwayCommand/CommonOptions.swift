import ArgumentParser

/// Where records come from.
///
/// As in all of these files, the options are kept as they were typed; `Configuration` has what they mean.
struct InputOptions: ParsableArguments {
  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("The running instance to follow.", valueName: "dir"))
  var n: String?

  @Option(
    name: [.customShort("N")], parsing: .unconditional,
    help: ArgumentHelp(
      "The file of shared memory of a Varnish before 5.2, even if its server has left it.",
      valueName: "file"))
  var memoryFile: String?

  @Option(
    name: .short, parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Read a captured log: a binary log file, a ring, or the copy of a server's directory, perhaps in a tar archive; "
        + "'-' is standard input. Given again, one after the other.",
      valueName: "input"))
  var r: [String] = []

  @Flag(help: "With several -r: put their transactions in the order of their times.")
  var merge = false

  @Flag(help: "Search damaged parts of a captured log for records, and list the bytes that were given up.")
  var salvage = false

  @Flag(name: .short, help: "Process the records that are in the log, then exit.")
  var d = false

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp(
      "How long to wait for the instance; 'off' is for ever. (default: 5)", valueName: "seconds"))
  var t: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Follow the rules of this Varnish version, 2.0 to 9.0. (default: those of the log; or $SPILLWAY_COMPAT)",
      valueName: "version"))
  var compat: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Which Varnish version has written the file, 2.0 to 9.0. (default: told by its first records)",
      valueName: "version"))
  var from: String?
}

/// Which groups are taken, apart from the choice of client or backend side.
struct MatchingOptions: ParsableArguments {
  @Option(
    name: [.customShort("L")], parsing: .unconditional,
    help: ArgumentHelp("How many transactions may be unfinished. (default: 1000)", valueName: "limit"))
  var openLimit: String?

  @Option(
    name: [.customShort("T")], parsing: .unconditional,
    help: ArgumentHelp(
      "How long a transaction may be unfinished. (default: 120)", valueName: "seconds"))
  var timeout: String?

  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp("Stop after this many transactions or groups.", valueName: "number"))
  var k: String?

  @Option(
    name: .short, parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Only what matches a query in the log's query language.", valueName: "query"))
  var q: [String] = []

  @Option(
    name: [.customShort("Q")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp("A file with a query.", valueName: "file"))
  var queryFiles: [String] = []

  @Flag(name: [.customShort("C")], help: "Queries make no difference between capitals and small letters.")
  var caseless = false

  @Option(
    name: [.customShort("R")], parsing: .unconditional,
    help: ArgumentHelp(
      "Let no more than this many transactions or groups through: 100, 10/m, 1/10s.",
      valueName: "limit[/duration]"))
  var rate: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Take only this part of the transactions or groups, the same ones every time: 1/10, 10%, 0.1.",
      valueName: "part"))
  var sample: String?
}

struct OutputOptions: ParsableArguments {
  @Option(
    name: .short, parsing: .unconditional,
    help: ArgumentHelp(
      "The output file, with strftime conversions if wanted; '-' is standard output.",
      valueName: "file"))
  var w: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Feed a command that the shell runs, and runs again when it ends.", valueName: "command"))
  var exec: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Connect to unix:PATH or tcp:HOST:PORT, and again when the connection is lost. Behind it may stand "
        + ",framing=newline, octet-count or null. (default: newline)",
      valueName: "address"))
  var socket: String?

  @Option(
    name: .customLong("output"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "One of several outputs, as in 'file=PATH format=json query=\"RespStatus >= 500\"'. What is given outside "
        + "holds for all.",
      valueName: "settings"))
  var outputs: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What becomes of lines that a command, peer or named pipe's reader had not taken when it went: "
        + "resend or drop. (default: resend)",
      valueName: "way"))
  var onRestart: String?

  @Flag(name: .short, help: "Append to the output file.")
  var a = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Begin a new file at this size: 100M, 1G.", valueName: "size"))
  var rotateSize: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Begin a new file so often, aligned to the clock: 15m, 1h, 1d.", valueName: "time"))
  var rotateEvery: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many finished files to keep.", valueName: "number"))
  var keep: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How long to keep finished files: 12h, 30d.", valueName: "time"))
  var keepFor: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How much finished files may take in all: 500M, 20G.", valueName: "size"))
  var keepBytes: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("A symbolic link that always leads to the current file.", valueName: "path"))
  var symlink: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "A shell command to run for each finished file, which is its $1.", valueName: "command"))
  var postRotate: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How long that may take before it is ended: 10m. (default: any time)", valueName: "time"))
  var postRotateTimeout: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The permissions of the files: 0640. (default: those of the file before, or what the umask leaves)",
      valueName: "octal"))
  var mode: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The owner of the files. (default: those of the file before, or this process)",
      valueName: "user[:group]"))
  var owner: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Compress with gzip, at a level from 1 to 9. (default: 6)", valueName: "level"))
  var gzip: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Compress with zstd, at a level from 1 to 19. (default: 1)", valueName: "level"))
  var zstd: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "When to put the data of a file on the disk: 100ms, 1s, each-batch or never. (default: 1s with "
        + "--resume, else never)",
      valueName: "when"))
  var sync: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How much memory lines may take while outputs are busy, in all. (default: 512M, or less on a small "
        + "machine)",
      valueName: "size"))
  var spoolMemory: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Where lines go when that memory is used up, or if they couldn't be delivered at the end.",
      valueName: "directory"))
  var spoolDir: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How much may be there. (default: 10G)", valueName: "size"))
  var spoolDisk: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What happens to lines for which there is no room: spill, drop or block.", valueName: "policy"))
  var overflow: String?

  @Flag(help: "Write a line where something was lost: how many, why, and when.")
  var markGaps = false
}

struct ProcessOptions: ParsableArguments {
  @Flag(name: [.customShort("D")], help: "Go into the background.")
  var daemonize = false

  @Option(
    name: [.customShort("P")], parsing: .unconditional,
    help: ArgumentHelp("A file for the process number.", valueName: "file"))
  var pidFile: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How long to go on delivering after SIGTERM or SIGINT. (default: 5s)", valueName: "time"))
  var drain: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How many threads read and render a captured log. (default: as many as there are processors, up to 4)",
      valueName: "number"))
  var threads: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Keep in this file how much of the log is done, and go on where the run before has ended: files get everything "
        + "once, pipes, commands and sockets at least once.", valueName: "file"))
  var resume: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "As root: the user to become once the log is open.", valueName: "user[:group]"))
  var user: String?

  @Flag(help: "Limit the process to its log and its outputs. (default with --user)")
  var sandbox = false

  @Flag(help: "Don't limit it, with --user either.")
  var noSandbox = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Where 'spillway status' can ask how the run does. (default with -D: in \(OptionValues.statusDirectory), if "
        + "that is there)", valueName: "path"))
  var statusSocket: String?

  @Flag(help: "Print the accounting line at the end of a file, too.")
  var stats = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Say so often what has become of everything: 60s.", valueName: "time"))
  var report: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How that is said: text or json. (default: text)", valueName: "format"))
  var reportFormat: String?

  @Flag(name: [.customShort("V")], help: "Print the version.")
  var showVersion = false
}
