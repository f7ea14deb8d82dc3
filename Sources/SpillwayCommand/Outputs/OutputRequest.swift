import ArgumentParser
import LogQuery
import Metrics

/// What one output is asked to be, in the words that options have; nothing of it has been understood yet.
///
/// The options of a command make one, and so do the settings of `--output` and of a file. What becomes of it is in
/// `OutputRequest+Configuration.swift`.
struct OutputRequest {
  /// What is shown.
  enum Shown: String, CaseIterable {
    /// A line for each transaction.
    case lines
    /// Groups, as text.
    case groups
    /// Groups, as the records that they are.
    case records
  }

  /// Which transactions are meant.
  struct Side: Equatable {
    var client = false, backend = false
  }

  /// A query.
  enum QueryPart: Equatable {
    case text([UInt8])
    /// In a file that hasn't been read.
    case file(String)
  }

  /// What the output is called; nil if it is called what its target is.
  var name: String?
  /// What is shown; nil if nothing was said of it.
  var shown: Shown?
  var side = Side(), includesESI = false
  var grouping: String?
  var queries: [QueryPart] = []
  var isCaseless = false
  var rate: String?, sample: String?, count: String?
  var rules: [RecordRule] = []
  var isVerbose = false, isUnbuffered = false
  /// Whether lines begin with who a request was forwarded for, in a log of 2.0 to 3.0.
  var prefersForwarded = false
  /// Whether standard output is asked for by name.
  var isStandardOutput = false
  /// What is told of requests and where, if that is the target.
  var metrics: MetricsSettings?
  var format: FormatOptions
  var output: OutputOptions

  /// Nothing but what is usual.
  static func blank() throws -> OutputRequest {
    OutputRequest(format: .usual, output: try OutputOptions.parse([]))
  }

  /// Whether it goes to a file, or what else has such a name.
  var isFile: Bool { output.w.map { $0 != "-" } ?? false }
}

extension OutputRequest {
  /// Takes over what all commands have that carry a log to an output.
  mutating func set(_ matching: MatchingOptions, _ letters: [ArgumentExpansion.Letter]) {
    isCaseless = matching.caseless
    (rate, sample, count) = (matching.rate, matching.sample, matching.k)
    // Queries are put together in the order in which they and the files with them are given.
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
  /// Takes over which transactions give a line, and what it looks like.
  mutating func set(_ selection: LineSelectionOptions, _ format: FormatOptions) {
    shown = .lines
    self.format = format
    side = Side(client: selection.c, backend: selection.b)
    (includesESI, grouping) = (selection.esi, selection.g)
  }
}
