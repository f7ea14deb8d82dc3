import FuzzSupport
import LogReading
import VarnishLog

/// Reads a captured log from its beginning to its end, as `-r` does.
struct CaptureReading {
  private let scenario: Scenario
  private let options: CaptureOptions

  /// The result of reading.
  struct Outcome: Equatable {
    var output: [UInt8] = []
    /// Whether there was no log, or reading it ended with an error.
    var hasFailed = false
    var givenUp = GivenUp()
  }

  /// - Parameter numbering: the numbering that the user claims for the log.
  init(_ scenario: Scenario, from numbering: TagNumbering? = nil) {
    self.scenario = scenario
    var options = CaptureOptions()
    options.salvages = scenario.salvages
    options.numbering = numbering
    self.options = options
  }

  /// Finds the log that a path leads to, and reads it.
  @discardableResult
  func read(_ path: String) -> Outcome {
    do throws(LogError) {
      var input = try CapturedInput.find(path)
      let facts = try input.facts()
      require(!facts.form.isEmpty, "a log that is nothing")
      switch try input.open(options) {
      case .narrowFile(var source): return drain(&source)
      case .wideFile(var source): return drain(&source)
      case .file20(var source): return drain(&source)
      case .file21(var source): return drain(&source)
      case .file30(var source): return drain(&source)
      case .narrowImage(var source): return drain(&source)
      case .wideImage(var source): return drain(&source)
      case .image20(var source): return drain(&source)
      case .image21(var source): return drain(&source)
      case .image30(var source): return drain(&source)
      }
    } catch {
      require(!error.description.isEmpty, "an error without a text")
      return Outcome(hasFailed: true)
    }
  }

  private func drain<Source: CapturedSource & ~Copyable>(_ source: inout Source) -> Outcome {
    var lines = LineMaker<Source.Layout>(scenario, numbering: source.numbering, rendersAgain: false)
    var outcome = Outcome()
    var (place, gapEnd) = (source.nextPlace, 0)
    let picks = PickCheck(source.numbering)
    picks.begin(&source)
    do throws(LogError) {
      reading: while true {
        let step = try source.next()
        require(source.nextPlace >= place, "from place \(place) back to \(source.nextPlace)")
        require(source.restartPlace <= source.nextPlace, "a place to begin anew that is ahead")
        place = source.nextPlace
        switch step {
        case .records(let run):
          require(run.byteCount > 0, "no records")
          picks.check(run, source)
          if Source.recordsStandAlone || Source.makesTransactions {
            lines.addEach(run)
          } else {
            lines.add(run, inPlace: false, meddle: {}, isIntact: { true })
          }
          if lines.isOversized { break reading }
        case .gap(let bytes):
          require(!bytes.isEmpty && bytes.lowerBound >= 0, "nothing is given up: \(bytes)")
          gapEnd = bytes.upperBound
        case .end: break reading
        case .idle, .overrun, .damaged: violated("what was captured doesn't change: \(step)")
        }
      }
    } catch {
      outcome.hasFailed = true
    }
    require(gapEnd == 0 || source.givenUp.byteCount > 0, "a gap up to \(gapEnd) that isn't counted")
    lines.finish()
    outcome.output = lines.output
    outcome.givenUp = source.givenUp
    return outcome
  }
}
