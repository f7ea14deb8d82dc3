import Glibc
import LogQuery
import Platform
import Rendering
import Transactions
import VarnishLog

/// Compiling an output's format, queries and rules once the log's tags and rules are known.
extension OutputConfiguration {
  /// Looks for mistakes in format, queries and rules before anything is opened.
  ///
  /// What is a mistake for some logs only is found when the log is known; what is a mistake for every log is
  /// refused now.
  func check(_ input: InputConfiguration) throws(RunError) {
    if let first = mistakes(input).first { throw first }
  }

  /// The mistakes in what is shown, and in the queries.
  func mistakes(_ input: InputConfiguration) -> [RunError] {
    let inShown = Self.mistake { (numbering) throws(RunError) in
      let rules = input.rules(for: numbering)
      if numbering.isOld, takesSingles(input, rules) {
        _ = try shown(input, rules, singles: numbering)
      } else {
        _ = try shown(rules, Self.inTransactions(numbering))
      }
    }
    let inQueries = Self.mistake { (numbering) throws(RunError) in
      _ = try query(input.rules(for: numbering), Self.inTransactions(numbering))
    }
    return [mergingMistake(input), inShown, inQueries].compactMap(\.self)
  }

  /// Why the entries of several logs can't be put in order for this output; nil if they can, or needn't be.
  private func mergingMistake(_ input: InputConfiguration) -> RunError? {
    guard input.merges else { return nil }
    if isBinary { return .merging(.binary) }
    if case .records = shown { return .merging(.singleRecords) }
    return nil
  }

  /// The numbering of the tags of transactions, whether these are in the log or made of its records.
  private static func inTransactions(_ numbering: TagNumbering) -> TagNumbering {
    numbering.isOld ? .v73 : numbering
  }

  /// The error for the first kind of log, if something compiles for none; nil if it compiles for one of them.
  private static func mistake(_ compile: (TagNumbering) throws(RunError) -> Void) -> RunError? {
    var first: RunError?
    for numbering in [TagNumbering.v41, .v73, .v90, .v30, .v21, .v20] {
      do throws(RunError) {
        try compile(numbering)
        return nil
      } catch {
        first = first ?? error
      }
    }
    return first
  }

  /// Makes the renderer for a log's transactions or groups.
  func shown(_ rules: NCSARules, _ numbering: TagNumbering) throws(RunError) -> ShownEntries {
    switch shown {
    case .lines(let formatting):
      let format = try formatting.format(rules)
      let composer = LineComposer(format, tags: TagTable(numbering))
      return .lines(Box(LineMaker(selection: Selection(self, rules: rules), composer: composer)))
    case .groups(let form): return .groups(Box(try groupRenderer(form, rules, numbering)))
    case .records(let form): return .records(Box(try groupRenderer(form, rules, numbering)))
    }
  }

  private func groupRenderer(
    _ form: GroupRenderer.Form, _ rules: NCSARules, _ numbering: TagNumbering
  ) throws(RunError) -> GroupRenderer {
    let tags = TagTable(numbering)
    do {
      let filter = try RecordFilter(
        recordRules, version: rules.version, isStrict: rules.isStrict, tags: tags,
        alwaysShown: form == .records ? GroupRenderer.structuralTags(tags) : TagSet())
      return GroupRenderer(
        form, sides: sides(rules), filter: filter, tags: tags, version: rules.version,
        isForTerminal: isTerminal)
    } catch {
      throw .recordRule(error)
    }
  }

  // MARK: Logs of 2.0 to 3.0

  /// Whether the records of a log that has no transactions are taken as they are, and shown as that log's own
  /// tools show them.
  ///
  /// For options that those tools don't have, transactions are made of the records.
  func takesSingles(_ input: InputConfiguration, _ rules: NCSARules) -> Bool {
    guard !input.merges, queries.isEmpty, sample == nil, rateLimit == nil, !esi else { return false }
    switch shown {
    case .records: return true
    case .groups: return !isGroupingStated && rules.version < VarnishVersion(4, 0, 0)
    case .lines(let formatting):
      guard case .text = formatting.format, !formatting.isJSON, !backend, !isGroupingStated else {
        return false
      }
      return rules.version < VarnishVersion(4, 0, 0)
    }
  }

  /// Makes the renderer for the records of a log that has no transactions.
  func shown(
    _ input: InputConfiguration, _ rules: NCSARules, singles numbering: TagNumbering
  ) throws(RunError) -> ShownEntries {
    var selection = input.oldSelection
    (selection.client, selection.backend) = (client, backend)
    selection.endNumber = rules.isStrict ? groupsMax : nil
    let tags = TagTable(numbering)
    do throws(OldSelectionError) {
      switch shown {
      case .lines(let formatting):
        return .singles(Box(try oldLines(selection, formatting, rules, tags)))
      case .groups(.records), .records(.records):
        selection.rules = recordRules
        return .singles(Box(try OldRenderer(recordsOf: selection, tags: tags)))
      case .groups:
        selection.rules = recordRules
        let isGrouped = input.showsOldGroups ?? (numbering == .v30)
        return .singles(
          Box(
            try OldRenderer(
              textOf: selection, isGrouped ? .grouped : .single, tags: tags, isForTerminal: isTerminal)))
      case .records:
        selection.rules = recordRules
        return .singles(
          Box(try OldRenderer(textOf: selection, .single, tags: tags, isForTerminal: isTerminal)))
      }
    } catch {
      throw .oldOption(error.description)
    }
  }

  private func oldLines(
    _ selection: OldSelection, _ formatting: LineFormatting, _ rules: NCSARules, _ tags: TagTable
  ) throws(OldSelectionError) -> OldRenderer {
    var text: [UInt8]?
    if case .text(let given) = formatting.format { text = given }
    let format: LineFormat
    if !rules.since(3, 0), text == nil {
      format = .fixed(rules: rules)
    } else {
      do {
        format = try LineFormat(text, rules: rules, isJSON: false)
      } catch {
        throw .badFormat(error)
      }
    }
    return try OldRenderer(
      linesOf: selection, format, prefersForwarded: formatting.prefersForwarded, tags: tags)
  }

  /// Refuses options of 2.0 to 3.0 for logs in which they have no meaning.
  func refuseOldOptions(_ input: InputConfiguration) throws(RunError) {
    guard input.oldSelection == OldSelection(), input.showsOldGroups == nil else {
      throw .oldOption(
        "-s, -m, -o, -O, and for lines -i, -I, -x and -X, are of 2.0 to 3.0: they need a log of these, without options "
          + "that came later")
    }
  }

  private var isTerminal: Bool {
    if case .standardOutput = target { isatty(STDOUT_FILENO) == 1 } else { false }
  }

  private func sides(_ rules: NCSARules) -> SideSelection {
    SideSelection(client: client, backend: backend, esi: esi, rules: rules)
  }

  /// Compiles the queries for a log; nil if there are none.
  func query(_ rules: NCSARules, _ numbering: TagNumbering) throws(RunError) -> Query? {
    guard !queries.isEmpty else { return nil }
    do {
      return try Query(
        bytes: queries, caseless: queriesAreCaseless, version: rules.version, isStrict: rules.isStrict,
        tags: TagTable(numbering))
    } catch {
      throw .query(error)
    }
  }

  /// The notation in which a notice of a loss is written among the entries.
  func noticeNotation(_ rules: NCSARules) throws(RunError) -> LossNotice.Notation {
    guard case .lines(let formatting) = shown else { return .comment }
    return try formatting.format(rules).noticeNotation
  }

  /// How groups are made for this output, apart from which records are kept; nil if it takes single records.
  func groupingOptions(_ input: InputConfiguration, _ rules: NCSARules) -> GroupingOptions? {
    var options: GroupingOptions
    switch shown {
    case .lines: options = groupingOfLines(rules)
    case .groups: options = groupingOfSides(rules)
    case .records: return nil
    }
    options.openTransactionsMax = input.openTransactionsMax
    options.timeoutNanoseconds = Int64(min(input.timeoutSeconds, 1e9) * 1e9)
    options.kept = PickWish()
    return options
  }

  /// Lines always select at least one side, so transactions of other sides can always be ruled out.
  private func groupingOfLines(_ rules: NCSARules) -> GroupingOptions {
    let selection = Selection(self, rules: rules)
    return GroupingOptions(
      grouping: grouping, candidateRule: rules.candidateRule, wantsClient: selection.client,
      wantsBackend: selection.backend, wantsESI: selection.esi)
  }

  /// Up to 7.2, transactions are ruled out by side only if a side is asked for.
  private func groupingOfSides(_ rules: NCSARules) -> GroupingOptions {
    let sides = sides(rules)
    var rule = rules.candidateRule
    if rule == .bySide, sides.isOpen, grouping == .vxid { rule = .everything }
    return GroupingOptions(
      grouping: grouping, candidateRule: rule, wantsClient: sides.client, wantsBackend: sides.backend,
      wantsESI: sides.esi)
  }

  /// The bytes that files and connections begin with.
  var header: [UInt8] {
    guard case .lines(let formatting) = shown, case .template(let template) = formatting.format else {
      return []
    }
    var header = Array(template.headerLines.joined(separator: [UInt8(ascii: "\n")]))
    if !header.isEmpty { header.append(UInt8(ascii: "\n")) }
    return header
  }
}

extension OutputConfiguration.LineFormatting {
  /// Compiles the format by the rules of a release.
  func format(_ rules: NCSARules) throws(RunError) -> LineFormat {
    do {
      switch format {
      case .text(let text):
        return try LineFormat(text, rules: rules, isJSON: isJSON, keepsBytes: keepsJSONBytes)
      case .template(let template): return try template.lineFormat(rules: rules)
      }
    } catch {
      throw .format(error)
    }
  }
}

extension InputConfiguration {
  /// The rules that go with a log's numbering, or those of the release that is insisted on.
  func rules(for numbering: TagNumbering) -> NCSARules {
    if let version = compatibility { return NCSARules(version, isStrict: true) }
    // The release that wrote the log is closer than what its numbering tells.
    if let release, TagNumbering(of: release) == numbering { return NCSARules(release, isStrict: false) }
    return .natural(for: numbering)
  }
}
