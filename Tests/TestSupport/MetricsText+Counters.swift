extension MetricsText {
  /// Compares the metrics with the output of `stat -j` for the same counters, by the exporter's naming rules,
  /// which are written out again for the tests.
  ///
  /// - Returns: The counters that differ.
  public func differences(fromStat json: String) -> [String] {
    json.matches(of: /"([^"\n]+)": \{[^{}]*"value": (\d+)/).compactMap { counter in
      let (name, labels) = Self.metric(counter.output.1)
      let found = all(name, labels).map(\.text)
      return found == [String(counter.output.2)]
        ? nil : "\(counter.output.1) is \(counter.output.2), and \(name) \(labels) \(found)"
    }
  }

  private static func metric(_ counter: Substring) -> (name: String, labels: [String: String]) {
    let parts = counter.split(separator: ".").map(String.init)
    let (group, last) = (parts[0], parts[parts.count - 1])
    let ident = parts.dropFirst().dropLast().joined(separator: ".").lowercased()
    switch (group, last) {
    case ("VBE", _): return ("varnish_backend_\(last)", ["backend": ident.replacing("boot.", with: "")])
    case ("LCK", "creat"): return ("varnish_lock_created", ["target": ident])
    case ("LCK", "destroy"): return ("varnish_lock_destroyed", ["target": ident])
    case ("LCK", "locks"): return ("varnish_lock_operations", ["target": ident])
    case ("SMA", _): return ("varnish_sma_\(last)", ["type": ident])
    case ("MAIN", "s_fetch"): return ("varnish_main_fetch_total", [:])
    case ("MAIN", "s_sess"): return ("varnish_main_sessions_total", [:])
    case ("MAIN", _) where last.hasPrefix("fetch_"):
      return ("varnish_main_fetch", ["type": String(last.dropFirst(6))])
    case ("MAIN", _) where last.hasPrefix("sess_"):
      return ("varnish_main_sessions", ["type": String(last.dropFirst(5))])
    case ("MAIN", _) where last.hasPrefix("n_wrk_"):
      return ("varnish_main_worker_threads", ["type": String(last.dropFirst(6))])
    default:
      return ("varnish_\(group.lowercased())_\(last.lowercased())", ident.isEmpty ? [:] : ["id": ident])
    }
  }
}
