extension RequestBook {
  /// All counts as metrics.
  var families: [MetricFamily] {
    tables.flatMap(\.families) + [
      MetricFamily(
        "spillway_label_sets", .gauge, "Sets of labels that requests and fetches have had.",
        [MetricSample(setCount)]),
      MetricFamily(
        "spillway_label_sets_limit", .gauge, "Sets of labels that there may be.",
        [MetricSample(settings.setsMax)]),
      MetricFamily(
        "spillway_folded_transactions_total", .counter,
        "Requests and fetches counted as \"other\": a label's value was rare or one too many, or a set was one too many.",
        folded),
    ]
  }

  private var folded: [MetricSample] {
    var samples: [MetricSample] = []
    for label in settings.labels {
      let count = tables.reduce(0 as UInt64) { sum, table in
        sum + (table.labels.firstIndex(of: label).map { table.foldedValues[$0] } ?? 0)
      }
      samples.append(MetricSample(.whole(count), [MetricLabel("label", label.rawValue)]))
    }
    let sets = tables.reduce(0) { $0 + $1.foldedSets }
    return samples + [MetricSample(.whole(sets), [MetricLabel("label", "sets")])]
  }
}

extension RequestTable {
  fileprivate var families: [MetricFamily] {
    let sets = keys.indices.map { ($0, labels(ofSet: $0)) }
    func family(
      _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: (Int) -> MetricSample.Value
    ) -> MetricFamily {
      MetricFamily(name, kind, help, sets.map { MetricSample(value($0.0), $0.1) })
    }
    let (name, what, peer) =
      side == .client ? ("request", "requests of clients", "clients") : ("fetch", "fetches", "backends")
    let plural = side == .client ? "requests" : "fetches"
    return [
      family("spillway_\(plural)_total", .counter, "Number of \(what).") {
        .whole(transactions(inSet: $0))
      },
      family("spillway_\(name)_duration_seconds", .histogram, "How long \(what) took.") {
        .histogram(durations(inSet: $0))
      },
      family(
        "spillway_\(name)_first_byte_seconds", .histogram,
        "How long \(what) took until the first byte of the response."
      ) { .histogram(firstBytes(inSet: $0)) },
      family("spillway_\(name)_received_bytes_total", .counter, "Bytes received from \(peer).") {
        .whole(receivedBytes(inSet: $0))
      },
      family("spillway_\(name)_sent_bytes_total", .counter, "Bytes sent to \(peer).") {
        .whole(sentBytes(inSet: $0))
      },
    ]
  }
}
