import Pictures
import Pipeline
import Shipping
import TerminalViews

extension HistCommand {
  func show(_ context: OptionContext) throws -> RunOutcome {
    var configuration = try configuration(context)
    if case .raw = try context.values.grouping(g) { try refuse("raw") }
    if case .session = try context.values.grouping(g) { try refuse("session") }
    let isCaptured = !input.r.isEmpty
    // A live log can't be read faster or slower than it is written.
    let factor = try factor()
    let bend = isCaptured ? factor.map { TimeBend($0) } : nil
    let interval = try interval()
    let tables: HistTables
    if let profile = profile ?? (context.isOldName ? "responsetime" : nil) {
      let profile = try HistProfile(profile)
      tables = HistTables([profile.measure], keepsLatest: context.isOldName)
      configuration.outputs = [
        try measuring(
          context, HistObserver(profile.measure.name, tables, 0..<1, bend), [profile.format],
          isBackend: profile.isBackend,
          includesESI: esi || profile.includesESI)
      ]
    } else {
      tables = HistTables([.firstByte, .total, .backend])
      configuration.outputs = [
        try measuring(
          context, HistObserver("requests", tables, 0..<2, bend),
          ["%{Varnish:time_firstbyte}x", "%{VSL:Timestamp:Resp[2]}x"],
          isBackend: false, includesESI: esi),
        try measuring(
          context, HistObserver("fetches", tables, 2..<3, bend), ["%{VSL:Timestamp:Beresp[2]}x"],
          isBackend: true,
          includesESI: false),
      ]
    }
    let terminal = once || j ? nil : Terminal.open()
    if let terminal, !input.d, !isCaptured || bend != nil || context.isOldName {
      let watch = RunWatch(staysAtEnd: isCaptured)
      if context.isOldName {
        return try PictureRun.run(
          configuration, watch, on: terminal, showing: OldHistScreen(tables, watch, bend, interval: interval))
      }
      return try PictureRun.run(
        configuration, watch, on: terminal,
        showing: HistScreen(tables, watch, bend, title: title, interval: interval))
    }
    let outcome = try runOnce(configuration)
    let report = HistReport(tables)
    try StandardOutput.write(j ? report.json : report.text(width: 80))
    return outcome
  }

  private func refuse(_ grouping: String) throws(UsageError) -> Never {
    throw UsageError("Invalid grouping mode: \(grouping) (only vxid and request are supported)")
  }

  private func interval() throws(UsageError) -> Double {
    guard let p else { return 1 }
    guard let seconds = Double(p), seconds > 0, seconds.isFinite else {
      throw UsageError("-p: invalid '\(p)'")
    }
    return min(max(seconds, 0.05), 1e6)
  }

  private func factor() throws(UsageError) -> Double? {
    guard let bend else { return nil }
    guard let factor = Double(bend), factor > 0, factor.isFinite else {
      throw UsageError("-B: being able to bend time does not mean we can stop it (invalid factor '\(bend)')")
    }
    return factor
  }

  private func measuring(
    _ context: OptionContext, _ observer: HistObserver, _ fields: [String], isBackend: Bool, includesESI: Bool
  ) throws -> OutputConfiguration {
    var request = try OutputRequest.blank()
    request.shown = .lines
    request.side = OutputRequest.Side(client: !isBackend, backend: isBackend)
    (request.includesESI, request.grouping) = (includesESI, g)
    request.format.text = [String(decoding: HistObserver.format(fields), as: UTF8.self)]
    return try output(request, context, to: ObserverTarget(observer))
  }
}
