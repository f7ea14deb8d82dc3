import Glibc
import Platform
import Spool

/// Deletes finished files that are too many, too much or too old.
struct Retention {
  private let limits: RetentionLimits
  private let warn: @Sendable (String) -> Void
  private var clock: UnhurriedClock
  private var trouble = Trouble<FailedOperation>()

  init(_ limits: RetentionLimits, at now: Moment, warn: @escaping @Sendable (String) -> Void) {
    self.limits = limits
    self.warn = warn
    clock = UnhurriedClock(now)
  }

  /// Whether the last attempt to delete files failed.
  var isInTrouble: Bool { trouble.isThere }

  /// Forgets a reported failure, as the output continues in another series of files.
  mutating func forgetTrouble() { trouble.end() }

  /// Deletes the oldest finished files, as far as they are beyond the limits.
  ///
  /// A file that waits for its command counts, but is deleted only after the command has ended.
  mutating func prune(
    _ catalog: inout FileCatalog, besides current: FileCatalog.Current, at now: Moment,
    isAwaited: (FileCatalog.Member) -> Bool
  ) {
    guard limits.isLimited else { return }
    var failure: SystemError?
    do {
      let files = try catalog.members(except: current.identity).filter { $0.mark?.state != .open }
      for member in limits.superfluous(files, at: clock.read(now)) where !isAwaited(member) {
        do {
          try catalog.delete(member, besides: current)
        } catch {
          // A file that can't be deleted is no reason to keep the others.
          failure = failure ?? error
        }
      }
    } catch {
      failure = error
    }
    if let failure {
      trouble.say(failure, "finished files are piling up", warn)
    } else {
      trouble.end()
    }
  }
}
