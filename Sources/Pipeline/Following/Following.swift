import LogReading
import VarnishLog

/// A live log that is being read.
struct Following<Source: LiveSource & ~Copyable>: ~Copyable {
  var ring: Source
  var reading: Reading<Source.Layout>
  var rhythm: Rhythm
}
