import TestSupport

/// The checks of a simulated run's results.
extension Simulation {
  /// Checks that all outputs are exact, or that what is missing was reported.
  func check() throws {
    var all: [(groupsRequests: Bool, lines: [Int])] = []
    var isExact = true
    try checkMessages()
    for (index, output) in outputs.enumerated() {
      do {
        let losses = Losses(of: output, said, dropped: dropped[index])
        if !losses.isNone { isExact = false }
        let numbers = try numbers(output)
        try check(numbers, losses)
        all.append((output.groupsRequests, numbers))
      } catch {
        let said = said.suffix(30).joined(separator: "\n    ")
        throw Failure(description: "output \(index), \(output.kind): \(error)\n  said:\n    \(said)")
      }
    }
    guard isExact else { return }
    for output in all.dropFirst() {
      guard let first = all.first(where: { $0.groupsRequests == output.groupsRequests }) else { continue }
      if first.lines != output.lines {
        throw Failure(
          description: "two outputs have the same lines in another order: \(first.lines) \(output.lines)")
      }
    }
  }

  /// Checks that runs report no event that didn't happen, as this would excuse a loss.
  private func checkMessages() throws {
    let isMeddled = scenario.steps.contains { step in
      switch step {
      case .rename, .truncate: true
      default: false
      }
    }
    for line in said {
      let isWrong = ["damaged, both copies", "begins anew"].contains { line.contains($0) }
      let isMeddling = ["another process", "was removed", "was renamed", "isn't as the last run has left it"]
        .contains { line.contains($0) }
      if isWrong || (isMeddling && !isMeddled) { throw Failure(description: "said: \(line)") }
    }
  }

  /// The numbers of the requests whose lines are in an output.
  private func numbers(_ output: SimulatedOutput) throws -> [Int] {
    try output.lines().compactMap { line in
      // A piece of a group that a limit has split.
      if line == "- -", scenario.openTransactionsMax < 100 { return nil }
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      guard words.count == 2, let number = words[0].split(separator: "/").first.flatMap({ Int($0) }),
        log.requests.indices.contains(number)
      else { throw Failure(description: "no line: \(line)") }
      let request = log.requests[number]
      guard words[0] == SimulatedLog.url(number, request.filler),
        words[1] == "200" || (words[1] == "-" && !request.isWhole)
      else { throw Failure(description: "not what was logged: \(line)") }
      return number
    }
  }

  private func check(_ numbers: [Int], _ losses: Losses) throws {
    var isThere = [Bool](repeating: false, count: log.requests.count)
    var last = -1
    for number in numbers {
      if isThere[number] { throw Failure(description: "request \(number) is there twice: \(numbers)") }
      isThere[number] = true
      guard log.requests[number].isWhole else { continue }
      if number < last { throw Failure(description: "request \(number) comes behind \(last): \(numbers)") }
      last = number
    }
    let missing = log.requests.indices.filter { !isThere[$0] && log.requests[$0].hasEnded }
    let unexplained = missing.filter { number in
      let writer = log.requests[number].writer
      return log.attached.contains(writer) && !(losses.ofOtherLogs > 0 && writer < log.writerNumber)
    }
    if unexplained.count > losses.requestsMax {
      throw Failure(
        description:
          "\(unexplained.count) requests are missing, and no more than \(losses.requestsMax) were said to be: "
          + "\(unexplained)")
    }
  }
}

/// The losses of an output that runs have reported.
private struct Losses {
  private(set) var bytes = 0
  private(set) var transactions = 0
  private(set) var ofOtherLogs = 0

  /// The smallest size of a request in the log, in bytes.
  private static let requestBytesMin = 60

  init(of output: SimulatedOutput, _ said: [String], dropped: Int) {
    transactions = dropped
    for line in said {
      if line.contains("had been left behind"), !line.hasPrefix(output.directory) { continue }
      if line.contains("another log was read before") { ofOtherLogs += 1 }
      let words = line.split(separator: " ")
      for index in words.indices.dropLast() {
        guard let number = Int(words[index]) else { continue }
        let rest = words[(index + 1)...].joined(separator: " ")
        if rest.hasPrefix("bytes of the log") || rest.hasPrefix("bytes were overwritten") { bytes += number }
        if rest.hasPrefix("entries were dropped by the run before"), line.contains(output.directory) {
          transactions += number
        }
        if rest.hasPrefix("transaction under way") || rest.hasPrefix("transactions under way") {
          transactions += number
        }
      }
    }
  }

  var requestsMax: Int { transactions + bytes / Self.requestBytesMin + (bytes > 0 ? 1 : 0) }
  var isNone: Bool { requestsMax == 0 && ofOtherLogs == 0 }
}
