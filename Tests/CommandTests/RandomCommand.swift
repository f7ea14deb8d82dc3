import TestSupport

/// Makes up options for one of the two commands from the contents of a log.
struct RandomCommand: Sendable {
  typealias Option = [DifferentialCase.Argument]

  let tool: DifferentialCase.Tool
  let words: LogWords
  private let queries: RandomQuery
  private let formats: RandomFormat

  init(_ tool: DifferentialCase.Tool, _ words: LogWords) {
    self.tool = tool
    self.words = words
    queries = RandomQuery(words)
    formats = RandomFormat(words)
  }

  /// Options in any order, sometimes with a mistake.
  func make(_ random: inout SeededGenerator) -> [Option] {
    var options: [Option] = []
    for flag in ["-b", "-c", "-E", "-d"] where chance(3, &random) { options.append([.text(flag)]) }
    // With two mistakes, the message would depend on which is checked first.
    if chance(12, &random) { return (options + [mistake(&random)]).shuffled(using: &random) }
    if !chance(4, &random) { options.append(grouping(&random)) }
    switch tool {
    case .ncsa: addFormat(to: &options, &random)
    case .log: addRules(to: &options, &random)
    }
    if chance(2, &random) { addQueries(to: &options, &random) }
    addLimits(to: &options, &random)
    if chance(5, &random) { addOutput(to: &options, &random) }
    // In any order, because the order of the options that choose records matters.
    options.shuffle(using: &random)
    return options
  }

  // MARK: Selection

  private func grouping(_ random: inout SeededGenerator) -> Option {
    let names = tool == .log ? ["raw", "vxid", "request", "session"] : ["vxid", "request", "request"]
    var name = pick(names, &random)
    if chance(3, &random) { name = String(name.prefix(Int.random(in: 2...name.count, using: &random))) }
    if chance(4, &random) { name = name.uppercased() }
    return option("-g", name, &random)
  }

  private func addRules(to options: inout [Option], _ random: inout SeededGenerator) {
    if chance(4, &random) { options.append([.text("-v")]) }
    guard chance(2, &random) else { return }
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      switch Int.random(in: 0..<4, using: &random) {
      case 0: options.append(option("-i", tags(&random), &random))
      case 1: options.append(option("-x", tags(&random), &random))
      case 2: options.append(option("-I", expression(&random), &random))
      default: options.append(option("-X", expression(&random), &random))
      }
    }
  }

  private func tags(_ random: inout SeededGenerator) -> String {
    var tags: [String] = []
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let name = words.samples.randomElement(using: &random)?.tag ?? "Begin"
      // Usually the full name: an abbreviation that means several tags or none is an error.
      tags.append(chance(6, &random) ? words.tag(name, &random) : name)
    }
    if chance(12, &random) { tags.append("") }
    return tags.joined(separator: ",")
  }

  private func expression(_ random: inout SeededGenerator) -> String {
    guard let sample = words.samples.randomElement(using: &random) else { return "." }
    let list = chance(2, &random) ? "" : chance(4, &random) ? tags(&random) : sample.tag
    let pattern =
      chance(6, &random)
      ? pick(["", "^$", "$", ".", "^.", "\\d+", "[[:upper:]]", "(?i)HOST", "\\x00", "a|b"], &random)
      : words.pattern(in: sample.text[...], &random)
    // Without a list, a colon in the pattern would end one.
    return list.isEmpty && pattern.contains(":") ? ".*" : list.isEmpty ? pattern : "\(list):\(pattern)"
  }

  private func addQueries(to options: inout [Option], _ random: inout SeededGenerator) {
    repeat {
      let query = queries.make(&random)
      if chance(4, &random) {
        options.append([.text("-Q"), .file(query + (chance(2, &random) ? "\n" : ""))])
      } else {
        options.append(option("-q", query, &random))
      }
    } while chance(4, &random)
    if chance(4, &random) { options.append([.text("-C")]) }
  }

  // MARK: Limits

  /// Adds limits, without time-outs and rates between nothing and unlimited, as the effects of these depend
  /// on the programs' speed.
  private func addLimits(to options: inout [Option], _ random: inout SeededGenerator) {
    if chance(5, &random) {
      let limit = chance(2, &random) ? Int.random(in: 1...4, using: &random) : 20
      options.append(option("-L", pick(["\(limit)", "0\(limit % 8 + 1)", "0x\(limit)"], &random), &random))
    }
    if chance(8, &random) {
      options.append(option("-R", pick(["1/d", "3/h", "0x2/3d", "1/y", "4/2w"], &random), &random))
    }
    // varnishncsa of 7.1 has neither of the following options.
    guard tool == .log else { return }
    if chance(5, &random) {
      options.append(option("-k", "\(Int.random(in: 1...20, using: &random))", &random))
    }
    if chance(6, &random) {
      options.append(option("-T", pick(["0", "1000", "500.5", "0.0"], &random), &random))
    }
  }

  // MARK: Output

  private func addFormat(to options: inout [Option], _ random: inout SeededGenerator) {
    if chance(3, &random) { options.append([.text("-j")]) }
    guard !chance(5, &random) else { return }
    let format = formats.make(&random)
    if chance(6, &random) {
      options.append([.text("-f"), .file(format + pick(["", "\n", "\nmore"], &random))])
    } else {
      options.append(option("-F", format, &random))
    }
  }

  private func addOutput(to options: inout [Option], _ random: inout SeededGenerator) {
    options.append(chance(4, &random) ? [.text("-w"), .text("-")] : [.text("-w"), .output])
    if chance(4, &random) { options.append([.text("-a")]) }
    guard tool == .log else { return }
    if chance(2, &random) { options.append([.text("-A")]) }
    if chance(4, &random) { options.append([.text("-u")]) }
  }

  // MARK: Mistakes

  private func mistake(_ random: inout SeededGenerator) -> Option {
    let common = [
      ["-L", "0"], ["-L", "1x"], ["-L", ""], ["-L", "99999999999"], ["-R", "0"], ["-R", "1x"], ["-R", "1/"],
      ["-R", "1/x"], ["-R", "08"], ["-g", "foo"], ["-g", "r"], ["-g", ""], ["-Q", "/nonexistent"],
      ["-w", "/nonexistent/file"], ["-w", "/"], ["-w", ""], ["-n", "/nonexistent"], ["-Z"], ["-q"],
    ]
    let ofLines = [
      ["-F", "%z"], ["-F", "%{foo"], ["-F", "%{Foo}x"], ["-F", "%{VSL:Nope}x"], ["-F", "%{VSL:Req}x"],
      ["-F", "%{VSL:Debug}x"], ["-F", "%{VSL:ReqAcct[0]}x"], ["-f", "/nonexistent"], ["-g", "raw"],
      ["-i", "ReqURL"],
    ]
    let ofText = [
      ["-k", "0"], ["-k", "1x"], ["-k", ""], ["-k", "-1"], ["-T", "x"], ["-T", "-1"], ["-T", ""],
      ["-T", "1 2"],
      ["-i", "Nope"], ["-x", "Req"], ["-i", "*a*"], ["-x", ""], ["-I", "("], ["-I", "Req:x"],
      ["-X", "Nope:x"],
      ["-X", "ReqURL:[a"], ["-I", "*"], ["-F", "%h"], ["-j"],
    ]
    return pick(common + (tool == .log ? ofText : ofLines), &random).map { .text($0) }
  }

  // MARK: Choosing

  /// An option with its value in one argument or in two.
  private func option(_ name: String, _ value: String, _ random: inout SeededGenerator) -> Option {
    value.isEmpty || Bool.random(using: &random) ? [.text(name), .text(value)] : [.text(name + value)]
  }

  private func chance(_ number: Int, _ random: inout SeededGenerator) -> Bool {
    Int.random(in: 0..<number, using: &random) == 0
  }

  private func pick<Element>(_ choices: [Element], _ random: inout SeededGenerator) -> Element {
    choices[Int.random(in: choices.indices, using: &random)]
  }
}
