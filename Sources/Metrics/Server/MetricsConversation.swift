import Platform

/// The metrics server's side of a connection, without a socket: so any bytes can be tried, in any pieces.
public struct MetricsConversation: ~Copyable {
  private var inquiry = ServerInquiry()
  private var dialog: MetricsDialog

  /// The largest number of bytes in a request.
  public static var requestBytesMax: Int { MetricsServer.limits.requestBytesMax }

  /// Begins a connection to a server that has counted nothing.
  public init() {
    dialog = MetricsDialog(MetricsCollector(Guarded(RequestBook(RequestSettings())), nil, nil))
  }

  /// Takes the next piece that the client sends; an empty piece is the end.
  ///
  /// - Returns: all that is sent to the client before the connection is closed; nil while the request is
  ///   incomplete.
  public mutating func take(_ piece: ArraySlice<UInt8>) -> [UInt8]? {
    switch inquiry.take(piece, MetricsServer.limits, &dialog) {
    case .incomplete: nil
    case .answer(let answer): answer
    case .refused(let refusal): dialog.answer(refusal)
    case .abandoned: []
    }
  }
}
