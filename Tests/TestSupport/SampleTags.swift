/// The tag numbers of one generation, for writing sample logs.
///
/// Kept apart from the program's tables, so that an error in those isn't repeated here.
public struct SampleTags: Sendable {
  private let numbers: [String: UInt8]

  /// Numbers the blank-separated `names` from 1.
  public init(names: String) {
    var numbers: [String: UInt8] = [:]
    for (index, name) in names.split(whereSeparator: \.isWhitespace).enumerated() {
      numbers[String(name)] = UInt8(index + 1)
    }
    self.numbers = numbers
  }

  /// The number of a tag; traps on a name that the generation does not have.
  public subscript(name: String) -> UInt8 {
    guard let number = numbers[name] else { preconditionFailure("no tag \(name)") }
    return number
  }

  /// The name of a number, if the generation has one.
  public func name(of number: UInt8) -> String? {
    numbers.first { $0.value == number }?.key
  }

  /// Varnish 4.0.
  public static let v40 = SampleTags(
    names: """
      Debug Error CLI SessOpen SessClose BackendOpen BackendReuse BackendClose HttpGarbage Backend
      Length FetchError ReqMethod ReqURL ReqProtocol ReqStatus ReqReason ReqHeader ReqUnset ReqLost
      RespMethod RespURL RespProtocol RespStatus RespReason RespHeader RespUnset RespLost
      BereqMethod BereqURL BereqProtocol BereqStatus BereqReason BereqHeader BereqUnset BereqLost
      BerespMethod BerespURL BerespProtocol BerespStatus BerespReason BerespHeader BerespUnset
      BerespLost ObjMethod ObjURL ObjProtocol ObjStatus ObjReason ObjHeader ObjUnset ObjLost
      BogoHeader LostHeader TTL Fetch_Body VCL_acl VCL_call VCL_trace VCL_return ReqStart Hit HitPass
      ExpBan ExpKill WorkThread ESI_xmlerror Hash Backend_health VCL_Log VCL_Error Gzip Link Begin End
      VSL Storage Timestamp ReqAcct ESI_BodyBytes PipeAcct BereqAcct
      """)

  /// Varnish 7.0 to 7.2, and the earlier releases that have the marker `VSLHEAD1`.
  public static let v7 = SampleTags(
    names: """
      Debug Error CLI SessOpen SessClose BackendOpen BackendReuse BackendClose HttpGarbage Proxy
      ProxyGarbage Backend Length FetchError ReqMethod ReqURL ReqProtocol ReqStatus ReqReason
      ReqHeader ReqUnset ReqLost RespMethod RespURL RespProtocol RespStatus RespReason RespHeader
      RespUnset RespLost BereqMethod BereqURL BereqProtocol BereqStatus BereqReason BereqHeader
      BereqUnset BereqLost BerespMethod BerespURL BerespProtocol BerespStatus BerespReason
      BerespHeader BerespUnset BerespLost ObjMethod ObjURL ObjProtocol ObjStatus ObjReason
      ObjHeader ObjUnset ObjLost BogoHeader LostHeader TTL Fetch_Body VCL_acl VCL_call VCL_trace
      VCL_return ReqStart Hit HitPass ExpBan ExpKill WorkThread ESI_xmlerror Hash Backend_health
      VCL_Log VCL_Error Gzip Link Begin End VSL Storage Timestamp ReqAcct PipeAcct BereqAcct
      VfpAcct Witness BackendStart H2RxHdr H2RxBody H2TxHdr H2TxBody HitMiss Filters SessError
      VCL_use Notice VdpAcct
      """)

  /// Varnish 7.3 to 8.0.
  public static let v8 = SampleTags(
    names: """
      Debug Error CLI SessOpen SessClose BackendOpen BackendClose HttpGarbage Proxy ProxyGarbage
      Length FetchError ReqMethod ReqURL ReqProtocol ReqStatus ReqReason ReqHeader ReqUnset
      ReqLost RespMethod RespURL RespProtocol RespStatus RespReason RespHeader RespUnset RespLost
      BereqMethod BereqURL BereqProtocol BereqStatus BereqReason BereqHeader BereqUnset BereqLost
      BerespMethod BerespURL BerespProtocol BerespStatus BerespReason BerespHeader BerespUnset
      BerespLost ObjMethod ObjURL ObjProtocol ObjStatus ObjReason ObjHeader ObjUnset ObjLost
      BogoHeader LostHeader TTL Fetch_Body VCL_acl VCL_call VCL_trace VCL_return ReqStart Hit
      HitPass ExpBan ExpKill WorkThread ESI_xmlerror Hash Backend_health VCL_Log VCL_Error Gzip
      Link Begin End VSL Storage Timestamp ReqAcct PipeAcct BereqAcct VfpAcct Witness H2RxHdr
      H2RxBody H2TxHdr H2TxBody HitMiss Filters SessError VCL_use Notice VdpAcct
      """)

  /// Varnish 9.0, with the marker of 7.3.
  public static let v9 = SampleTags(
    names: """
      Debug Error CLI SessOpen SessClose BackendOpen BackendClose BackendSSL TLS HttpGarbage
      Proxy ProxyGarbage Length FetchError ReqMethod ReqURL ReqProtocol ReqStatus ReqReason
      ReqHeader ReqUnset ReqLost RespMethod RespURL RespProtocol RespStatus RespReason RespHeader
      RespUnset RespLost BereqMethod BereqURL BereqProtocol BereqStatus BereqReason BereqHeader
      BereqUnset BereqLost BerespMethod BerespURL BerespProtocol BerespStatus BerespReason
      BerespHeader BerespUnset BerespLost ObjMethod ObjURL ObjProtocol ObjStatus ObjReason
      ObjHeader ObjUnset ObjLost BogoHeader LostHeader TTL Fetch_Body VCL_acl VCL_call VCL_trace
      VCL_return ReqStart Hit HitPass ExpBan ExpKill WorkThread ESI_xmlerror Hash Backend_health
      VCL_Log VCL_Error Gzip Link Begin End VSL Storage Timestamp ReqAcct PipeAcct BereqAcct
      VfpAcct Witness H2RxHdr H2RxBody H2TxHdr H2TxBody HitMiss Filters SessError VCL_use Notice
      VdpAcct ReqTarget
      """)
}
