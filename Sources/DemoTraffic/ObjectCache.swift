/// What the cache has kept.
///
/// Time is counted in requests, so that what is a hit depends on nothing but the seed.
struct ObjectCache {
  /// Something that was fetched.
  struct Object {
    /// The number of the fetch that brought it.
    let vxid: UInt64
    let since: Int
    /// The number of requests after which it is too old.
    let lifetime: Int
    /// How long it had been there when it was looked up, in requests.
    var age = 0

    /// How many microseconds of the usual traffic a request stands for.
    private static let microsecondsPerRequest = 20_000

    /// Its age as a header says it.
    var ageSeconds: Int { age * Self.microsecondsPerRequest / 1_000_000 }
    /// How long it will still be there, in microseconds.
    var microsecondsLeft: Int { (lifetime - age) * Self.microsecondsPerRequest }
  }

  private var objects: [String: Object] = [:]

  /// What it has for a key that isn't too old.
  mutating func look(for key: String, at request: Int) -> Object? {
    guard var object = objects[key] else { return nil }
    guard request - object.since < object.lifetime else {
      objects[key] = nil
      return nil
    }
    object.age = request - object.since
    return object
  }

  @discardableResult
  mutating func keep(_ key: String, vxid: UInt64, at request: Int, lifetime: Int) -> Object {
    let object = Object(vxid: vxid, since: request, lifetime: lifetime)
    objects[key] = object
    // Keys that are asked for once would pile up over the days.
    guard objects.count > Self.countMax else { return object }
    objects = objects.filter { request - $0.value.since < $0.value.lifetime }
    if objects.count > Self.countMax { objects.removeAll() }
    return object
  }

  private static let countMax = 4096
}
