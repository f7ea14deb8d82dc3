import ArgumentParser
import Glibc
import LogReading
import Platform
import Statistics
import VarnishLog

extension StatCommand {
  /// Shows the counters.
  ///
  /// - Parameters:
  ///   - letters: the options of one letter in their order, which matters for patterns.
  ///   - name: the name by which the program was called.
  func show(_ letters: [ArgumentExpansion.Letter], as name: String) throws {
    do {
      let values = OptionValues()
      let version = try values.version(compat)
      let seconds = try interval(values)
      if c, once || j || x || l { throw UsageError("-c goes with none of -1, -j, -l and -x") }
      let isLive = !(once || j || x || l) && LiveCounters.hasTerminal
      if c, !isLive { throw UsageError("-c: standard output is no terminal") }
      var instance = try instance()
      let first = try attach(&instance, seconds: try values.attachSeconds(t), as: name)
      let rules = rules(letters)
      // Each -r toggles the setting, so that two have no effect.
      let isRaw = letters.count { $0.letter == "r" } % 2 == 1
      guard isLive else {
        return try print(first, from: &instance, rules, version, isRaw: isRaw, every: seconds, as: name)
      }
      let precedence: CounterFilter.Precedence = isBefore65(version, first.layout) ? .exclusion : .firstMatch
      let live = LiveCounters(
        instance, CounterFilter(rules, precedence), interval: seconds ?? 1, isRaw: isRaw)
      // The signal is raised again, so that the parent process sees which one ended this process.
      if let signal = live.show() { raise(signal) }
    } catch let error as UsageError {
      SpillwayCommand.complain(error.description, as: name)
      throw ExitCode(ExitStatus.failure)
    } catch let error as LogError {
      SpillwayCommand.complain(error.description, as: name)
      throw ExitCode(ExitStatus.failure)
    }
  }

  // MARK: Options

  /// The patterns, in the order in which they were given.
  private func rules(_ letters: [ArgumentExpansion.Letter]) -> [CounterFilter.Rule] {
    letters.compactMap { letter, value in
      guard let bytes = value?.argumentBytes else { return nil }
      switch letter {
      case "I": return .include(Glob(bytes))
      case "X": return .exclude(Glob(bytes))
      case "f" where bytes.first == UInt8(ascii: "^"): return .exclude(Glob(Array(bytes.dropFirst())))
      case "f": return .include(Glob(bytes))
      default: return nil
      }
    }
  }

  /// The interval between two readings of the counters, in seconds; nil means the default.
  private func interval(_ values: OptionValues) throws(UsageError) -> Double? {
    guard let seconds = try values.seconds(w, option: "-w") else { return nil }
    guard (0.1...86400).contains(seconds) else {
      throw UsageError("-w: \(w ?? "") is not a number of seconds from 0.1 to 86400")
    }
    return seconds
  }

  /// Whether the rules of a release before 6.5 apply: the older form of JSON, and patterns that exclude come
  /// first.
  private func isBefore65(_ version: VarnishVersion?, _ layout: CounterSample.Layout) -> Bool {
    if let version { return version < VarnishVersion(6, 5, 0) }
    return layout == .plainIndex || layout == .placedIndex
  }

  // MARK: The instance

  private func instance() throws -> InstanceFollower {
    if let memoryFile {
      guard n == nil else { throw UsageError("-n and -N can not be combined") }
      return InstanceFollower(file: memoryFile)
    }
    do {
      return InstanceFollower(path: try InstanceName(n).path)
    } catch {
      throw UsageError(error.description)
    }
  }

  private static let attachMicroseconds: UInt32 = 250_000

  /// Waits until there are counters.
  private func attach(
    _ instance: inout InstanceFollower, seconds: Double?, as name: String
  ) throws -> CounterSample {
    let start = SystemClock.steadyNanoseconds
    let deadline = seconds.map { start + Int64(min($0, 1e9) * 1e9) }
    var said: String?
    while true {
      instance.refresh()
      if let sample = try instance.sampleCounters() { return sample }
      let isOver = deadline.map { SystemClock.steadyNanoseconds >= $0 } ?? false
      if isOver || instance.isRefused {
        throw UsageError("Could not get hold of varnishd, is it running? (\(instance.trouble))")
      }
      if deadline == nil, instance.trouble != said {
        SpillwayCommand.complain("waiting for varnishd: \(instance.trouble)", as: name)
        said = instance.trouble
      }
      usleep(Self.attachMicroseconds)
    }
  }

  // MARK: Printing

  /// Prints the counters once or repeatedly.
  private func print(
    _ first: CounterSample, from instance: inout InstanceFollower, _ rules: [CounterFilter.Rule],
    _ version: VarnishVersion?, isRaw: Bool, every seconds: Double?,
    as name: String
  ) throws {
    var sample: CounterSample? = first
    while true {
      if let sample {
        let isOld = isBefore65(version, sample.layout)
        let filter = CounterFilter(rules, isOld ? .exclusion : .firstMatch)
        let report = CounterReport(ShownCounters(sample, filter, isRaw: isRaw))
        let form: CounterReport.Form =
          x ? .xml : j ? (isOld ? .oldJSON : .json) : l && !once ? .names : .table
        try StandardOutput.write(report.text(form, timestamp: CounterReport.timestamp))
        if !sample.isComplete {
          SpillwayCommand.complain("there are more counters than are taken in", as: name)
        }
      }
      guard let seconds, !l || once || j || x else { return }
      // The interval may be a day, which is too long for usleep.
      var time = timespec(
        tv_sec: Int(seconds), tv_nsec: Int(seconds.truncatingRemainder(dividingBy: 1) * 1e9))
      unsafe nanosleep(&time, nil)
      instance.refresh()
      sample = try instance.sampleCounters()
    }
  }
}
