import Platform

/// What the server of metrics answers one client, without a socket: so any bytes can be tried, in any pieces.
public struct MetricsConversation: ~Copyable {
  private var inquiry = ServerInquiry()
  private var dialog: MetricsDialog

  /// How many bytes a request may have.
  public static var requestBytesMax: Int { MetricsServer.limits.requestBytesMax }

  /// With a server of which nothing was counted.
  public init() {
    dialog = MetricsDialog(MetricsCollector(Guarded(RequestBook(RequestSettings())), nil, nil))
  }

  /// Takes what the client sends next; an empty piece is the end.
  ///
  /// - Returns: all that it is sent before it is hung up on; nil as long as more must come.
  public mutating func take(_ piece: ArraySlice<UInt8>) -> [UInt8]? {
    switch inquiry.take(piece, MetricsServer.limits, &dialog) {
    case .incomplete: nil
    case .answer(let answer): answer
    case .refused(let refusal): dialog.answer(refusal)
    case .abandoned: []
    }
  }
}
