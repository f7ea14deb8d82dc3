import Glibc
import LogReading

/// Reads a log damaged in many ways, one after the other: what `Scripts/damage-check` runs.
///
/// ```
/// DamageProbe LOG SCRATCH MODE FIRST LAST SEED
/// ```
///
/// LOG is a file or a ring. The damages are numbered: first the file cut at every 997th byte, beginning at
/// its end, then one byte changed, chosen by SEED and the number. Those from FIRST up to but not including
/// LAST are tried, on the copy SCRATCH. MODE is `read`, `salvage`, or `convert`, which writes the damaged log
/// as logs of other generations to /dev/null.
///
/// Before each trial its number is printed on standard output, so that the caller knows which damage has
/// ended the process; at the end `done` and the peak memory in kilobytes. A failed check is a line on
/// standard error that begins with `FAILED`.
@main
struct DamageProbe {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 7, let mode = Mode(rawValue: arguments[3]), let first = Int(arguments[4]),
      let last = Int(arguments[5]), let seed = UInt64(arguments[6])
    else {
      print("usage: DamageProbe LOG SCRATCH read|salvage|convert FIRST LAST SEED")
      exit(2)
    }
    let subject = try DamagedLog(copying: arguments[1], to: arguments[2])
    if first == last {
      // The caller only asks for the number of cuts.
      return say("cuts \(subject.cutCount)")
    }
    let trial = try Trial(mode, on: subject)
    for number in first..<last {
      say("\(number)")
      // A trial that takes longer than 60 seconds counts as a hang.
      alarm(60)
      try trial.run(subject, subject.damage(number, seed: seed))
    }
    alarm(0)
    say("done \(peakKilobytes) \(trial.heldCount)")
  }

  /// The peak memory of this program; getrusage would include that of the process that started it.
  private static var peakKilobytes: Int {
    guard let file = fopen("/proc/self/status", "r") else { return .max }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
      let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        .split(whereSeparator: \.isWhitespace)
      if words.first == "VmHWM:", words.count > 1 { return Int(words[1]) ?? .max }
    }
    return .max
  }

  /// Writes a line without buffering, so that none is lost in a trap.
  private static func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(STDOUT_FILENO, bytes, bytes.count)
  }
}

enum Mode: String {
  case read, salvage, convert
}
