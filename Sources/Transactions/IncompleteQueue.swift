/// The slots of transactions that haven't ended, in the order in which they were opened.
///
/// Apart from the slots, so that to take one out doesn't fetch those of its neighbours: there may be very many, and
/// few of them are in the processor's caches.
struct IncompleteQueue {
  /// The neighbours of each slot; -1 where there is none.
  private var links: [(older: Int32, newer: Int32)] = []
  private(set) var oldest: Int32 = -1
  private var newest: Int32 = -1

  /// Puts a slot last that isn't in it.
  mutating func append(_ index: Int32) {
    while links.count <= Int(index) { links.append((-1, -1)) }
    links[Int(index)] = (newest, -1)
    if newest >= 0 { links[Int(newest)].newer = index } else { oldest = index }
    newest = index
  }

  /// Takes out a slot that is in it.
  mutating func remove(_ index: Int32) {
    let (older, newer) = links[Int(index)]
    if older >= 0 { links[Int(older)].newer = newer } else { oldest = newer }
    if newer >= 0 { links[Int(newer)].older = older } else { newest = older }
  }

  mutating func removeAll() {
    oldest = -1
    newest = -1
  }
}
