@testable import Metrics
import Testing

/// The names of counters as metrics; the expected names are those of prometheus_varnish_exporter 1.6.
struct CounterNameTests {
  private static func name(_ section: String, _ counter: String) -> String {
    let name = CounterName(
      section: section, counter: counter, backend: BackendLabels(section: section, isShort: true))
    let labels = name.labels.map { "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))" }
    return name.name + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}")
  }

  @Test(arguments: [
    ("MAIN", "cache_hit", "varnish_main_cache_hit"),
    ("MAIN", "fetch_1xx", "varnish_main_fetch{type=1xx}"),
    ("MAIN", "s_fetch", "varnish_main_fetch_total"),
    ("MAIN", "sess_conn", "varnish_main_sessions{type=conn}"),
    ("MAIN", "s_sess", "varnish_main_sessions_total"),
    ("MAIN", "n_wrk_queued", "varnish_main_worker_threads{type=queued}"),
    ("MAIN", "n_wrk", "varnish_main_worker_threads_total"),
    ("MAIN", "threads", "varnish_main_threads"),
    ("MGT", "child_start", "varnish_mgt_child_start"),
    ("SMA.s0", "g_bytes", "varnish_sma_g_bytes{type=s0}"),
    ("SMA.Transient", "c_req", "varnish_sma_c_req{type=transient}"),
    ("SMF.disk", "g_smf_frag", "varnish_smf_g_smf_frag{type=disk}"),
    ("LCK.backend", "creat", "varnish_lock_created{target=backend}"),
    ("LCK.backend", "destroy", "varnish_lock_destroyed{target=backend}"),
    ("LCK.backend", "locks", "varnish_lock_operations{target=backend}"),
    ("LCK.ban", "colls", "varnish_lock_collisions{target=ban}"),
    ("LCK.ban", "dbg_busy", "varnish_lck_dbg_busy{id=ban}"),
    ("MEMPOOL.busyobj", "live", "varnish_mempool_live{id=busyobj}"),
    ("VBE.boot.default", "req", "varnish_backend_req{backend=default,server=unknown}"),
    ("VBE.reload_20191014_091124_78599.api", "happy", "varnish_backend_happy{backend=api,server=unknown}"),
    ("VBE.blue.api", "conn", "varnish_backend_conn{backend=blue.api,server=unknown}"),
    ("VBE.boot.default(127.0.0.1,,8080)", "up", "varnish_backend_up{backend=default,server=127.0.0.1:8080}"),
    // Counters that no release has.
    ("KVSTORE.a.b", "Some-thing", "varnish_kvstore_some_thing{id=a.b}"),
    ("", "", "varnish_main_"), ("...", "é\n", "varnish_main____{id=..}"),
  ])
  func `names follow the exporter's rules`(section: String, counter: String, expected: String) {
    #expect(Self.name(section, counter) == expected)
  }
}
