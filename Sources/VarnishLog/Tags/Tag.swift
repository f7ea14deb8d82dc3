/// A kind of log record, by its name; its number differs from one generation of logs to the next.
///
/// The cases stand in the order of the 4.1–7.2 numbering, with later inventions at the end.
public enum Tag: UInt8, CaseIterable, Sendable {
  /// The log's `Debug`.
  case debug
  /// The log's `Error`.
  case error
  /// The log's `CLI`.
  case cli
  /// The log's `SessOpen`.
  case sessOpen
  /// The log's `SessClose`.
  case sessClose
  /// The log's `BackendOpen`.
  case backendOpen
  /// The log's `BackendReuse`.
  case backendReuse
  /// The log's `BackendClose`.
  case backendClose
  /// The log's `HttpGarbage`.
  case httpGarbage
  /// The log's `Proxy`.
  case proxy
  /// The log's `ProxyGarbage`.
  case proxyGarbage
  /// The log's `Backend`.
  case backend
  /// The log's `Length`.
  case length
  /// The log's `FetchError`.
  case fetchError
  /// The log's `ReqMethod`.
  case reqMethod
  /// The log's `ReqURL`.
  case reqURL
  /// The log's `ReqProtocol`.
  case reqProtocol
  /// The log's `ReqStatus`.
  case reqStatus
  /// The log's `ReqReason`.
  case reqReason
  /// The log's `ReqHeader`.
  case reqHeader
  /// The log's `ReqUnset`.
  case reqUnset
  /// The log's `ReqLost`.
  case reqLost
  /// The log's `RespMethod`.
  case respMethod
  /// The log's `RespURL`.
  case respURL
  /// The log's `RespProtocol`.
  case respProtocol
  /// The log's `RespStatus`.
  case respStatus
  /// The log's `RespReason`.
  case respReason
  /// The log's `RespHeader`.
  case respHeader
  /// The log's `RespUnset`.
  case respUnset
  /// The log's `RespLost`.
  case respLost
  /// The log's `BereqMethod`.
  case bereqMethod
  /// The log's `BereqURL`.
  case bereqURL
  /// The log's `BereqProtocol`.
  case bereqProtocol
  /// The log's `BereqStatus`.
  case bereqStatus
  /// The log's `BereqReason`.
  case bereqReason
  /// The log's `BereqHeader`.
  case bereqHeader
  /// The log's `BereqUnset`.
  case bereqUnset
  /// The log's `BereqLost`.
  case bereqLost
  /// The log's `BerespMethod`.
  case berespMethod
  /// The log's `BerespURL`.
  case berespURL
  /// The log's `BerespProtocol`.
  case berespProtocol
  /// The log's `BerespStatus`.
  case berespStatus
  /// The log's `BerespReason`.
  case berespReason
  /// The log's `BerespHeader`.
  case berespHeader
  /// The log's `BerespUnset`.
  case berespUnset
  /// The log's `BerespLost`.
  case berespLost
  /// The log's `ObjMethod`.
  case objMethod
  /// The log's `ObjURL`.
  case objURL
  /// The log's `ObjProtocol`.
  case objProtocol
  /// The log's `ObjStatus`.
  case objStatus
  /// The log's `ObjReason`.
  case objReason
  /// The log's `ObjHeader`.
  case objHeader
  /// The log's `ObjUnset`.
  case objUnset
  /// The log's `ObjLost`.
  case objLost
  /// The log's `BogoHeader`.
  case bogoHeader
  /// The log's `LostHeader`.
  case lostHeader
  /// The log's `TTL`.
  case ttl
  /// The log's `Fetch_Body`.
  case fetchBody
  /// The log's `VCL_acl`.
  case vclACL
  /// The log's `VCL_call`.
  case vclCall
  /// The log's `VCL_trace`.
  case vclTrace
  /// The log's `VCL_return`.
  case vclReturn
  /// The log's `ReqStart`.
  case reqStart
  /// The log's `Hit`.
  case hit
  /// The log's `HitPass`.
  case hitPass
  /// The log's `ExpBan`.
  case expBan
  /// The log's `ExpKill`.
  case expKill
  /// The log's `WorkThread`.
  case workThread
  /// The log's `ESI_xmlerror`.
  case esiXMLError
  /// The log's `Hash`.
  case hash
  /// The log's `Backend_health`.
  case backendHealth
  /// The log's `VCL_Log`.
  case vclLog
  /// The log's `VCL_Error`.
  case vclError
  /// The log's `Gzip`.
  case gzip
  /// The log's `Link`.
  case link
  /// The log's `Begin`.
  case begin
  /// The log's `End`.
  case end
  /// The log's `VSL`.
  case vsl
  /// The log's `Storage`.
  case storage
  /// The log's `Timestamp`.
  case timestamp
  /// The log's `ReqAcct`.
  case reqAcct
  /// The log's `PipeAcct`.
  case pipeAcct
  /// The log's `BereqAcct`.
  case bereqAcct
  /// The log's `VfpAcct`.
  case vfpAcct
  /// The log's `Witness`.
  case witness
  /// The log's `BackendStart`.
  case backendStart
  /// The log's `H2RxHdr`.
  case h2RxHdr
  /// The log's `H2RxBody`.
  case h2RxBody
  /// The log's `H2TxHdr`.
  case h2TxHdr
  /// The log's `H2TxBody`.
  case h2TxBody
  /// The log's `HitMiss`.
  case hitMiss
  /// The log's `Filters`.
  case filters
  /// The log's `SessError`.
  case sessError
  /// The log's `VCL_use`.
  case vclUse
  /// The log's `Notice`.
  case notice
  /// The log's `VdpAcct`.
  case vdpAcct
  /// The log's `ESI_BodyBytes`.
  case esiBodyBytes
  /// The log's `BackendSSL`.
  case backendSSL
  /// The log's `TLS`.
  case tls
  /// The log's `ReqTarget`.
  case reqTarget
}
