/// The objects that the cache holds.
///
/// Time is counted in requests, so that hits depend on the seed alone.
struct ObjectCache {
  /// A cached response.
  struct Object {
    /// The number of the fetch that brought the object.
    let vxid: UInt64
    let since: Int
    /// The number of requests after which the object has expired.
    let lifetime: Int
    /// The object's age when it was looked up, in requests.
    var age = 0

    /// How many microseconds a request counts for, as at the usual rate.
    private static let microsecondsPerRequest = 20_000

    /// The age for the header `Age`, in seconds.
    var ageSeconds: Int { age * Self.microsecondsPerRequest / 1_000_000 }
    /// The time until the object expires, in microseconds.
    var microsecondsLeft: Int { (lifetime - age) * Self.microsecondsPerRequest }
  }

  private var objects: [String: Object] = [:]

  /// The object with a key, unless it has expired.
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
    // Objects that are requested only once would pile up over days.
    guard objects.count > Self.countMax else { return object }
    objects = objects.filter { request - $0.value.since < $0.value.lifetime }
    if objects.count > Self.countMax { objects.removeAll() }
    return object
  }

  private static let countMax = 4096
}
