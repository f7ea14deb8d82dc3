/// The name and the labels of a server's counter as a metric, as in prometheus_varnish_exporter 1.6.
///
/// `Documentation/metrics.md` has the rules, and the differences.
struct CounterName: Equatable {
  var name: String
  var labels: [MetricLabel] = []

  /// The part of the section's name in front of its first point, in lower case.
  let group: String
  /// The part after that point; empty if there is none, as in `MAIN`.
  let ident: String

  /// Makes the name of a counter.
  ///
  /// - Parameter backend: the backend's labels, if the section is a backend's.
  init(section: String, counter: String, backend: BackendLabels?) {
    let parts = section.lowercased().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    group = String(parts.first ?? "")
    ident = parts.count > 1 ? String(parts[1]) : ""
    let counter = Self.cleaned(counter.lowercased())
    name = "varnish_\(Self.groups[group] ?? Self.cleaned(group))_\(counter)"
    if let backend {
      labels = backend.labels
    } else if group == "lck", let target = Self.locks[counter] {
      name = "varnish_lock_\(target)"
      labels = [MetricLabel("target", ident)]
    } else if !ident.isEmpty {
      labels = [MetricLabel(Self.storages.contains(group) ? "type" : "id", ident)]
    } else if group == "main" {
      groupByType(counter)
    }
  }

  /// Gives counters that are parts of one total, such as `fetch_*`, one name with the part as the label `type`.
  private mutating func groupByType(_ counter: String) {
    for (prefix, sum, name) in Self.parted {
      if counter == sum {
        self.name = "varnish_main_\(name)_total"
      } else if counter.hasPrefix(prefix), counter.utf8.count > prefix.utf8.count {
        self.name = "varnish_main_\(name)"
        labels = [MetricLabel("type", String(counter.dropFirst(prefix.count)))]
      }
    }
  }

  private static let groups = ["vbe": "backend", "": "main"]
  private static let storages: Set = ["sma", "smf"]
  private static let locks = [
    "colls": "collisions", "creat": "created", "destroy": "destroyed", "locks": "operations",
  ]
  private static let parted = [
    ("fetch_", "s_fetch", "fetch"), ("sess_", "s_sess", "sessions"), ("n_wrk_", "n_wrk", "worker_threads"),
  ]

  /// A text with each character except letters and digits replaced by an underscore.
  private static func cleaned(_ text: String) -> String {
    String(
      decoding: text.utf8.map { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
        default: UInt8(ascii: "_")
        }
      }, as: UTF8.self)
  }
}

/// The labels that distinguish the counters of backends.
struct BackendLabels: Hashable {
  let backend: String
  let server: String

  var labels: [MetricLabel] { [MetricLabel("backend", backend), MetricLabel("server", server)] }

  /// The labels of a backend from the name of its section; nil if the section isn't a backend's.
  ///
  /// - Parameter isShort: whether to leave out the part that depends on how the VCL was loaded; without that
  ///   part, backends of two VCLs may have the same name.
  init?(section: String, isShort: Bool) {
    let section = section.lowercased()
    guard section.hasPrefix("vbe.") else { return nil }
    var name = section.dropFirst(4)
    var server = "unknown"
    if let open = name.lastIndex(of: "("), let close = name.lastIndex(of: ")"), open < close {
      server = String(name[name.index(after: open)..<close]).replacing(",,", with: ":", maxReplacements: 1)
      name = name[..<open]
    }
    self.server = server
    guard isShort else {
      backend = String(name)
      return
    }
    while name.first == "." { name.removeFirst() }
    while name.last == "." { name.removeLast() }
    for prefix in ["boot.", "root:"] where name.hasPrefix(prefix) { name = name.dropFirst(prefix.count) }
    if name.hasPrefix("reload_"), let point = name.firstIndex(of: ".") {
      name = name[name.index(after: point)...]
    }
    backend = String(name)
  }
}
