import Glibc
import LogConversion
import LogReading
import VarnishLog

/// Reads a damaged log, and compares the result with that of the undamaged log.
final class Trial {
  private let mode: Mode
  private let whole: Account?
  private let sink: Int32
  /// How many trials required at least one line to be unchanged.
  private(set) var heldCount = 0
  private var conversionCount = 0

  init(_ mode: Mode, on subject: DamagedLog) throws {
    self.mode = mode
    sink = open("/dev/null", O_WRONLY)
    guard sink >= 0 else { throw ProbeError("open /dev/null") }
    if mode == .convert {
      whole = nil
    } else {
      whole = try LogLines.read(subject.path, salvages: mode == .salvage)
    }
  }

  func run(_ subject: DamagedLog, _ damage: Damage) throws {
    try subject.apply(damage)
    defer { try? subject.mend(damage) }
    guard let whole else { return convert(subject.path) }
    let expected = whole.lineBytes(before: damage)
    if expected > 0 { heldCount += 1 }
    let found: Account
    do throws(LogError) {
      found = try LogLines.read(subject.path, salvages: mode == .salvage)
    } catch {
      if expected > 0 { fail(damage, "not read: \(error)") }
      return
    }
    guard found.lines.count >= expected, found.lines[..<expected] == whole.lines[..<expected] else {
      return fail(damage, "the first \(expected) bytes of lines aren't there; \(found.lines.count) are")
    }
  }

  private func fail(_ damage: Damage, _ problem: String) {
    let line = Array("FAILED \(mode.rawValue), \(damage): \(problem)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
  }

  private func convert(_ path: String) {
    let targets: [TagNumbering] = [.v90, .v30, .v41, .v21]
    conversionCount += 1
    do throws(LogError) {
      var options = CaptureOptions()
      options.salvages = conversionCount % 3 == 0
      let log = try CapturedInput.find(path).open(options)
      var converter = LogConverter(to: targets[conversionCount % 4], sink, named: "nowhere") { _ in }
      try? converter.add(log, path)
      try? converter.finish()
    } catch {
      // An error on opening is a valid answer.
    }
  }
}
