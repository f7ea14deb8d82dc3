import ArgumentParser
import LogQuery
import Metrics

/// The options of one output, as they were typed: none of them has been interpreted yet.
///
/// It is made from a command's options, from an `--output`, or from a configuration file;
/// `OutputRequest+Configuration.swift` interprets it.
struct OutputRequest {
  /// What an output shows.
  enum Shown: String, CaseIterable {
    /// A line for each transaction.
    case lines
    /// Groups, as text.
    case groups
    /// Groups, as binary records.
    case records
  }

  /// The choice of client and backend transactions.
  struct Side: Equatable {
    var client = false, backend = false
  }

  /// A query.
  enum QueryPart: Equatable {
    case text([UInt8])
    /// The path of a file that hasn't been read.
    case file(String)
  }

  /// The output's name; nil if it is named after its target.
  var name: String?
  /// What the output shows; nil if that isn't set.
  var shown: Shown?
  var side = Side(), includesESI = false
  var grouping: String?
  var queries: [QueryPart] = []
  var isCaseless = false
  var rate: String?, sample: String?, count: String?
  var rules: [RecordRule] = []
  var isVerbose = false, isUnbuffered = false
  /// Whether lines begin with the address in X-Forwarded-For, in a log of 2.0 to 3.0.
  var prefersForwarded = false
  /// Whether standard output is named as the target explicitly.
  var isStandardOutput = false
  /// The settings of metrics, if they are the target.
  var metrics: MetricsSettings?
  var format: FormatOptions
  var output: OutputOptions

  /// A request with default values only.
  static func blank() throws -> OutputRequest {
    OutputRequest(format: .usual, output: try OutputOptions.parse([]))
  }

  /// Whether the target is a path: a file, a named pipe or a device.
  var isFile: Bool { output.w.map { $0 != "-" } ?? false }
}

extension OutputRequest {
  /// Takes the options that all commands with an output have.
  mutating func set(_ matching: MatchingOptions, _ letters: [ArgumentExpansion.Letter]) {
    isCaseless = matching.caseless
    (rate, sample, count) = (matching.rate, matching.sample, matching.k)
    // Queries are joined in the order in which -q and -Q were given.
    queries = letters.compactMap { letter, value in
      switch (letter, value) {
      case ("q", .some(let text)): .text(text.argumentBytes)
      case ("Q", .some(let file)): .file(file)
      default: nil
      }
    }
  }
}

extension OutputRequest {
  /// Takes the options for lines: which transactions give one, and their format.
  mutating func set(_ selection: LineSelectionOptions, _ format: FormatOptions) {
    shown = .lines
    self.format = format
    side = Side(client: selection.c, backend: selection.b)
    (includesESI, grouping) = (selection.esi, selection.g)
  }
}
