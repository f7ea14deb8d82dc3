/// The smallest scenarios for the faults that simulations have found.
extension Scenario {
  static let found: [(String, Scenario)] = [
    (
      "a run that ends before it has found its log empties the checkpoint",
      Scenario(
        seed: 0, outputs: [Output(kind: .plain, groupsRequests: false)],
        steps: [.stop(isHurried: true), .start, .stop(isHurried: false), .write(1)])
    ),
    (
      "the run is killed between noting a loss and saying it",
      Scenario(
        seed: 0, outputs: [Output(kind: .gzip, groupsRequests: false)], logByteCount: 64 << 10,
        timeoutSeconds: 120, syncMilliseconds: 0,
        steps: [.killNow, .flood, .start, .kill(.atWord(20)), .read(3)])
    ),
    (
      "an output lags in a log that is gone",
      Scenario(
        seed: 0, outputs: [Output(kind: .rotatedGzip, groupsRequests: true)], timeoutSeconds: 120,
        syncMilliseconds: 0,
        steps: [.write(10), .read(1), .restartWriter, .read(3), .read(1), .killNow])
    ),
    (
      "three logs, of which the second has had no record read",
      Scenario(
        seed: 0, outputs: [Output(kind: .plain, groupsRequests: false)], timeoutSeconds: 120,
        steps: [
          .write(1), .restartWriter, .pass(4000), .read(4), .restartWriter, .killNow, .start, .read(1),
          .killNow,
        ])
    ),
    (
      "another process empties a file, and the run is killed behind the next write to it",
      Scenario(
        seed: 0, outputs: [Output(kind: .plain, groupsRequests: false)], logByteCount: 64 << 10,
        syncMilliseconds: 200,
        steps: [
          .write(2), .read(1), .loops, .killNow, .start, .truncate(0), .write(6), .kill(.atPoint(3)),
          .read(2),
          .loop(0, steps: 3),
        ])
    ),
    (
      "what was ended by force in another log than that of the resumption",
      Scenario(
        seed: 0, outputs: [Output(kind: .timed, groupsRequests: true)], logByteCount: 64 << 10,
        timeoutSeconds: 0.5, openTransactionsMax: 2, syncMilliseconds: 0,
        steps: [
          .write(10), .restartWriter, .pass(4000), .open(fetches: true), .read(4), .write(10), .read(1),
          .loops,
          .killNow, .start, .read(2), .killNow,
        ])
    ),
  ]
}
