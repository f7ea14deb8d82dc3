import Glibc
import TestSupport
import Testing

/// A run with a broken output, of each kind and broken in each way, and with a healthy one.
///
/// The healthy output gets every line once and in order, and both accounts add up.
@Suite(.needs(.spillway), .limit(minutes: 3))
struct BrokenOutputTests {
  private let home: TemporaryDirectory

  init() throws { home = try TemporaryDirectory() }

  /// The result of a run.
  private struct Outcome {
    /// The paths requested, without those requested while attaching.
    var requested: [String]
    var said: [String]
    var broken: Accounting
    var healthy: Accounting
  }

  /// The paths in a log that is shown as text.
  private static func paths(_ text: String) -> [Substring] {
    text.split(separator: "\n").filter { $0.contains(" ReqURL ") }.compactMap {
      $0.split(separator: " ").last
    }
  }

  /// Follows a log with a broken output in front of a healthy one.
  ///
  /// - Parameters:
  ///   - broken: the settings of the broken output.
  ///   - isLog: whether both outputs show records, the healthy one as text.
  ///   - laterBatches: how many times twenty requests are sent in the second half.
  ///   - halfway: called when half of the requests are through.
  ///   - isOver: whether the broken output has got all that it can get.
  private func run(
    _ broken: String, isLog: Bool = false, standardOutput: Command.Output = .collected,
    laterBatches: Int = 10,
    halfway: (ChildProcess) throws -> Void = { _ in }, isOver: ([String]) -> Bool = { _ in true }
  ) throws -> Outcome {
    let whole = home.file("whole")
    let healthy = isLog ? "file=\(whole) show=groups tags='show=ReqURL'" : "file=\(whole)"
    func text() throws(SupportError) -> String {
      guard let text = try? readText(whole) else { return "" }
      guard isLog else { return text }
      return Self.paths(text).map { "\($0)\n" }.joined()
    }
    let feed = try LiveFeed(
      ["--drain", "1s", "--output", broken, "--output", healthy],
      wrap: { command in
        var command = command
        command.output = standardOutput
        if isLog {
          command.arguments = command.arguments.map { $0 == "ncsa" ? "log" : $0 }
            .filter { $0 != "-F" && $0 != "%U" }
        }
        return command
      }, text: text)
    for half in 0..<2 {
      for _ in 0..<(half == 0 ? 10 : laterBatches) {
        feed.send(20)
        try feed.waitForAll(in: text)
      }
      if half == 0 { try halfway(feed.child) }
    }
    #expect(try poll(until: .after(.seconds(60))) { isOver(feed.requested) })
    let (end, said) = try feed.finish()
    #expect(LiveFeed.lines(try text()) == feed.requested)
    let accounts = said.compactMap { line in Accounting(line).map { (line, $0) } }
    let own = try #require(accounts.last { $0.0.hasPrefix("spillway: \(whole): ") }?.1, "\(said)")
    let other = try #require(accounts.last { !$0.0.hasPrefix("spillway: \(whole): ") }?.1, "\(said)")
    for account in [own, other] { #expect(account.addsUp && account.queued == 0, "\(said)") }
    #expect(own.dropped == 0 && own.lost == 0, "\(said)")
    #expect(own.written == (try text().count { $0 == "\n" }), "\(said)")
    // If the broken output has lost lines, the exit status of the whole run says so.
    let isWhole = other.dropped == 0 && other.unconfirmed == 0
    #expect((end.status == 0) == isWhole, "\(end), \(said)")
    return Outcome(requested: feed.requested, said: said, broken: other, healthy: own)
  }

  // MARK: Programs at the other end

  @Test(arguments: Consumer.Kind.allCases, Consumer.Way.allCases)
  func `a consumer that fails harms no other output`(kind: Consumer.Kind, way: Consumer.Way) async throws {
    try await onOwnThread {
      let consumer = try Consumer(kind, way, home)
      let outcome = try run(
        consumer.target + " format-text=%U",
        isOver: { requested in
          // A consumer that can get every line must get it.
          guard way == .slow || way == .replaced || kind == .exec && way == .gone else { return true }
          return consumer.lines().last == requested.last
        })
      let account = outcome.broken
      #expect(account.seen == outcome.healthy.seen, "\(outcome.said)")
      let arrived = consumer.lines()
      #expect(Set(arrived).isSubset(of: outcome.requested + ["/attach"]), "no line is cut")
      switch way {
      case .absent: #expect(arrived.isEmpty && account.written == 0, "\(outcome.said)")
      // The kernel's buffers have room for some lines that the consumer hasn't taken.
      case .stuck:
        #expect(arrived.isEmpty && account.written + account.dropped == account.seen, "\(outcome.said)")
      case .gone, .replaced, .slow: #expect(account.written <= arrived.count, "\(outcome.said)")
      }
      if account.written == account.seen, way != .stuck {
        #expect(Set(arrived).isSuperset(of: outcome.requested))
      }
      if way == .slow || way == .replaced && kind != .datagram {
        #expect(account.written == account.seen, "\(outcome.said)")
      }
    }
  }

  // MARK: Files

  /// The kind of file.
  enum FileKind: String, CaseIterable {
    case plain, compressed, records
  }

  /// The way in which the file is broken.
  enum FileWay: String, CaseIterable {
    /// The disk is full from the start; a compressed file can't even be begun there, which ends a run before
    /// it begins.
    case full
    /// The disk becomes full during the run.
    case fillsUp
    /// The file's directory is removed, so that no new file can be begun.
    case removed
  }

  @Test(.needs(.mount), arguments: FileKind.allCases, FileWay.allCases)
  func `a file that fails harms no other output`(kind: FileKind, way: FileWay) async throws {
    if kind == .compressed, way == .full { return }
    try await onOwnThread {
      let disk = try MountedFileSystem(byteCount: 1 << 20)
      let directory = disk.file("files")
      let path = "\(directory)/log"
      mkdir(directory, 0o755)
      var settings = "file=\(path)"
      switch kind {
      case .plain: settings += " format-text=%U"
      case .compressed:
        settings += " format-text=%U gzip" + (way == .fillsUp ? " append" : "")
        // A small file takes just one page; this file has almost used up its first.
        let noise = "head -c 2840 /dev/urandom | base64 -w 0 | gzip > '\(path)'"
        if way == .fillsUp { _ = try ProcessRunner.run("sh", "-c", noise) }
      case .records: settings += " show=records"
      }
      if way == .removed { settings += " rotate-size=4K" }
      if way == .full { try disk.fill("filler") }
      let outcome = try run(
        settings, isLog: kind == .records,
        // Compressed, the lines must take more than a page, which the disk may still have for the file.
        laterBatches: kind == .compressed && way == .fillsUp ? 100 : 10,
        halfway: { _ in
          if way == .removed { _ = try ProcessRunner.run("rm", "-r", directory) }
          if way == .fillsUp { try disk.fill("filler") }
        })
      #expect(outcome.broken.seen == outcome.healthy.seen, "\(outcome.said)")
      #expect(outcome.broken.dropped > 0, "\(outcome.said)")
      guard way != .removed else { return }
      let arrived: [Substring]
      switch kind {
      case .plain: arrived = try readText(path).split(separator: "\n")
      case .compressed:
        // The noise is in front of the first line, if there is one, and isn't a line by itself.
        let text = try ProcessRunner.run("gzip", "-dcq", path).text
        arrived = Array(text.split(separator: "\n", omittingEmptySubsequences: false).dropLast())
      case .records:
        arrived = Self.paths(
          try ProcessRunner.run(try Subject.found().log(["-r", path, "-i", "ReqURL"])).text)
      }
      #expect(arrived.count == outcome.broken.written, "\(outcome.said)")
    }
  }

  // MARK: Standard output

  @Test(arguments: [false, true])
  func `a pipe on standard output that fails harms no other output`(isGone: Bool) async throws {
    try await onOwnThread {
      let outcome = try run(
        "standard-output format-text='%U %U'", standardOutput: .unread,
        halfway: { if isGone { $0.output?.closeEnd() } })
      // Lines that come after the final failure are also counted as lost.
      #expect(outcome.broken.seen == outcome.healthy.seen, "\(outcome.said)")
      #expect(outcome.broken.dropped > 0, "\(outcome.said)")
    }
  }
}
