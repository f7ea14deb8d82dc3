public import LogReading

extension Inspection {
  /// Inspects the captured log that a path leads to.
  ///
  /// - Throws: `LogError` if there is no log at all; damage to a log is told by `fault`.
  public static func of(_ path: String, _ options: CaptureOptions) throws(LogError) -> Inspection {
    let (facts, survey) = try read(path, options)
    return Inspection(facts, survey)
  }

  /// Inspects the log of a running instance, and watches it for a while.
  ///
  /// - Parameter seconds: how long its log is watched; 0 for not at all.
  /// - Throws: `LogError` if there is no log.
  public static func ofInstance(
    _ path: String, _ options: CaptureOptions, watchingSeconds seconds: Double
  ) throws(LogError) -> Inspection {
    var (facts, survey) = try read(path, options)
    let manager = facts.writers.first { $0.role == "manager" }
    // A log that its manager has let go of isn't written. A process that isn't seen here may run in another
    // container.
    let isLetGo = manager?.pid == nil && manager?.lives == false
    guard seconds > 0, !isLetGo else { return Inspection(facts, survey) }
    let sample = LiveSample.take(of: path, seconds: seconds)
    if manager?.lives == nil, let age = facts.age {
      // Some managers tell nothing of themselves but their file's age, once a second.
      if seconds < ageSeconds { LiveSample.pause(ageSeconds - seconds) }
      let later = try? read(path, options).facts
      facts.noteManager(
        lives: later?.age != age,
        note: later?.age != age ? "counts its file's age" : "doesn't count its file's age")
    }
    return Inspection(facts, survey, sample: sample)
  }

  /// How long it takes until a manager that runs has counted on.
  private static let ageSeconds = 2.2

  private static func read(
    _ path: String, _ options: CaptureOptions
  ) throws(LogError) -> (facts: CapturedFacts, survey: LogSurvey) {
    var found = try CapturedInput.find(path)
    var facts = try found.facts()
    do throws(LogError) {
      let log = try found.open(options, noting: &facts)
      return (facts, LogSurvey(log))
    } catch {
      // An input that isn't recognised is no log; a log that can't be opened still has facts to tell.
      guard facts.layout != nil else { throw error }
      return (facts, LogSurvey(error))
    }
  }

  /// Why the log couldn't be read to its end; nil if it could.
  public var fault: LogError? { survey.fault }
}
