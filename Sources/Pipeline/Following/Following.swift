import LogReading
import VarnishLog

/// A live log that is being read.
struct Following<Layout: RecordLayout>: ~Copyable {
  var ring: LogRing<Layout>
  var reading: Reading<Layout>
  var rhythm: Rhythm
}
