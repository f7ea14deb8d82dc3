import Pipeline
import Platform
import Spool

/// The run's own metrics.
extension RunStatus {
  /// All of the run's metrics, as of the reading thread's latest update.
  func families(at now: Moment) -> [MetricFamily] {
    [
      MetricFamily(
        "spillway_build_info", .gauge, "The version that runs.",
        [MetricSample(1, [MetricLabel("version", version)])]),
      MetricFamily(
        "spillway_start_time_seconds", .gauge, "When the run began, in seconds since 1970.",
        [MetricSample(Int(start.wallSeconds))]),
      MetricFamily(
        "spillway_status_age_seconds", .gauge, "How long ago the reading thread looked at the run last.",
        noted.map { noted in
          [MetricSample(.real(Double(max(0, now.steadyNanoseconds - noted.steadyNanoseconds)) / 1e9))]
        } ?? []),
    ] + logFamilies + outputFamilies
  }

  // MARK: The log

  private var logFamilies: [MetricFamily] {
    let states = [LogStanding.State.seeking, .probing, .reading, .ending]
    var families = [
      MetricFamily(
        "spillway_log_state", .gauge, "What is done with the log: 1 for that, 0 for the others.",
        states.map { MetricSample(log.state == $0 ? 1 : 0, [MetricLabel("state", $0.rawValue)]) }),
      MetricFamily(
        "spillway_log_read_bytes_total", .counter, "Bytes of records that were read.",
        [MetricSample(readBytes)]),
      MetricFamily(
        "spillway_log_lost_bytes_total", .counter,
        "Bytes of the log that were overwritten before they were read.",
        [MetricSample(lostBytes)]),
    ]
    guard let ring = log.ring else { return families }
    families += [
      MetricFamily(
        "spillway_log_lag_bytes", .gauge, "Bytes of the log that are written and not yet read.",
        [MetricSample(ring.lagBytes)]),
      MetricFamily(
        "spillway_log_size_bytes", .gauge, "The size of the log in shared memory.",
        [MetricSample(ring.byteCount)]),
      MetricFamily(
        "spillway_log_lag_seconds", .gauge,
        "How long ago what is read now was written, if it was written as fast as the log is now.",
        sample(lagSeconds)),
      MetricFamily(
        "spillway_log_turn_seconds", .gauge,
        "How long it takes at the present rate until what is written now is overwritten.", sample(ringSeconds)
      ),
    ]
    return families
  }

  private func sample(_ value: Double?) -> [MetricSample] { value.map { [MetricSample(.real($0))] } ?? [] }

  // MARK: Outputs

  private var outputFamilies: [MetricFamily] {
    let labels = Self.labels(of: outputs)
    func family(
      _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: (Output) -> Int?
    ) -> MetricFamily {
      let samples = zip(outputs, labels).compactMap { output, label in
        value(output).map { MetricSample($0, [label]) }
      }
      return MetricFamily("spillway_output_\(name)", kind, help, samples)
    }
    func causes(_ name: String, _ help: String, _ causes: [Ledger.Cause]) -> MetricFamily {
      let samples = zip(outputs, labels).flatMap { output, label in
        causes.map { MetricSample(output.account[$0], [label, MetricLabel("cause", $0.rawValue)]) }
      }
      return MetricFamily("spillway_output_\(name)", .counter, help, samples)
    }
    return [
      family("seen_total", .counter, "Transactions that an output was to decide on.") { $0.account.seen },
      family("written_total", .counter, "Entries that reached the output.") { $0.account.written },
      causes(
        "filtered_total", "Transactions that an output left out, as it was told to, by cause.",
        [.unwanted, .sampledOut, .rateLimited]),
      causes(
        "dropped_total", "Transactions that an output was to have and won't, by cause.",
        [.spoolFull, .diskFull, .oversize, .tooLarge, .consumerGone, .damaged]),
      family(
        "torn_total", .counter, "Transactions that were overwritten while they were being read.",
        { $0.account[.torn] }),
      family(
        "lost", .gauge,
        "Transactions that were overwritten before they were read, as far as that can be estimated.",
        { $0.account.lost }),
      family("queued", .gauge, "Entries on their way to the output.") { $0.account.queued },
      family("unconfirmed", .gauge, "Entries that a connection may have swallowed when it was reset.") {
        $0.account.unconfirmed
      },
      family("failed", .gauge, "Whether the output has failed for good.") { $0.state == .failed ? 1 : 0 },
      family(
        "last_entry_timestamp_seconds", .gauge,
        "When the output was handed an entry last, in seconds since 1970.",
        { $0.lastEntrySeconds.map { Int($0) } }),
      family("spool_entries", .gauge, "Entries that wait for the output.") { $0.spool?.waiting.entries },
      family("spool_bytes", .gauge, "Bytes of the entries that wait for the output.") {
        $0.spool?.waiting.bytes
      },
      family("spool_memory_bytes", .gauge, "Memory that the output's spool has.") { $0.spool?.memoryBytes },
      family("spool_memory_limit_bytes", .gauge, "Memory that the output's spool may have.") {
        $0.memoryBytesMax
      },
      family("spool_disk_bytes", .gauge, "The size of the spool's files.") {
        $0.diskBytesMax == nil ? nil : $0.spool?.diskBytes
      },
      family("spool_disk_limit_bytes", .gauge, "The size that the spool's files may have.") {
        $0.diskBytesMax
      },
      MetricFamily(
        "spillway_outputs_ended_total", .counter, "Outputs that reloads have ended.",
        [MetricSample(endedOutputCount)]),
    ]
  }

  /// The labels of outputs: their names, with a number added where two outputs have the same name.
  private static func labels(of outputs: [Output]) -> [MetricLabel] {
    var taken: Set<String> = []
    return outputs.map { output in
      var (name, number) = (output.name, 1)
      while !taken.insert(name).inserted {
        number += 1
        name = "\(output.name) (\(number))"
      }
      return MetricLabel("output", name)
    }
  }
}
