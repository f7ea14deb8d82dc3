import ArgumentParser

/// Which metrics of requests there are, and where all metrics are served or written.
struct MetricsOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Where metrics are served: HOST:PORT, [ADDRESS]:PORT or unix:PATH. (default: 127.0.0.1:9131 of a live log, if "
        + "nothing else is asked for)", valueName: "address"))
  var listen: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "A file that always holds them, for node_exporter; '-' prints them at the end. (default: '-' of a captured log)",
      valueName: "path"))
  var textfile: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How often the file is written. (default: 15s)", valueName: "time"))
  var textfileEvery: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The bounds of the histograms' buckets in seconds, the smallest first: 0.01,0.1,1. (default: 16, from 0.0001 to "
        + "10)",
      valueName: "list"))
  var buckets: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The labels that tell requests and fetches apart. (default: host,method,status,handling,backend)",
      valueName: "list"))
  var labels: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many values each of these may have. (default: 100)", valueName: "number"))
  var labelLimit: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many sets of values there may be. (default: 500)", valueName: "number"))
  var setLimit: String?
}

/// The memory for entries that wait to be counted.
struct MetricsSpoolOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How much memory transactions that wait to be counted may take. (default: 512M, or less on a small machine)",
      valueName: "size"))
  var spoolMemory: String?
}
