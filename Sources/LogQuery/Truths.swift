/// The expression of a query as a tree in plain memory, and what is known of it.
///
/// The value of every part is unknown at first. As soon as one is known, so is every value that follows from
/// it.
///
/// The caller owns the memory and calls `deallocate`.
@safe struct Truths {
  // Invariant: the three lists have an element for each part of the tree; `root`, `leaves`, and each parent but
  // -1 are indices of them. Callers hand in leaves only.

  enum Value: UInt8 {
    case unknown, no, yes
  }

  private struct Part {
    enum Rule: UInt8 {
      case comparison, not, and, or
    }

    let rule: Rule
    /// -1 for the root.
    var parent: Int32 = -1
    var childCount: Int32 = 0
  }

  private let parts: UnsafeMutableBufferPointer<Part>
  private let values: UnsafeMutableBufferPointer<Value>
  /// How many children of a part are unknown.
  private let unknownChildren: UnsafeMutableBufferPointer<Int32>
  private let root: Int
  /// The parts that are comparisons, in the order of the query.
  let leaves: [Int32]

  /// Makes the tree of an expression in postfix order.
  init(_ steps: [ParsedQuery.Step]) {
    var tree: [Part] = []
    var leaves: [Int32] = []
    var open: [Int32] = []
    func add(_ rule: Part.Rule, over children: [Int32]) -> Int32 {
      let index: Int32
      var children = children
      // A chain of the same operator is one part, however long, so that no leaf is far from the root.
      if let first = children.first, rule != .not, tree[Int(first)].rule == rule {
        index = first
        children.removeFirst()
      } else {
        index = Int32(tree.count)
        tree.append(Part(rule: rule))
      }
      for child in children { tree[Int(child)].parent = index }
      tree[Int(index)].childCount += Int32(children.count)
      return index
    }
    for step in steps {
      switch step {
      case .comparison:
        let leaf = add(.comparison, over: [])
        leaves.append(leaf)
        open.append(leaf)
      case .not: open.append(add(.not, over: [open.removeLast()]))
      case .and, .or:
        let right = open.removeLast()
        open.append(add(step == .and ? .and : .or, over: [open.removeLast(), right]))
      }
    }
    unsafe parts = .allocate(capacity: tree.count)
    _ = unsafe parts.initialize(fromContentsOf: tree)
    unsafe values = .allocate(capacity: tree.count)
    unsafe values.initialize(repeating: .unknown)
    unsafe unknownChildren = .allocate(capacity: tree.count)
    unsafe unknownChildren.initialize(repeating: 0)
    root = Int(open.removeLast())
    self.leaves = leaves
  }

  func deallocate() {
    unsafe parts.deallocate()
    unsafe values.deallocate()
    unsafe unknownChildren.deallocate()
  }

  /// Forgets what is known.
  func reset() {
    for index in unsafe parts.indices {
      unsafe values[index] = .unknown
      unsafe unknownChildren[index] = unsafe parts[index].childCount
    }
  }

  /// What is known of the whole expression.
  @inline(__always)
  var result: Value { unsafe values[root] }

  /// Whether the whole expression may still depend on a comparison.
  @inline(__always)
  func matters(_ leaf: Int32) -> Bool {
    var index = leaf
    while index >= 0 {
      if unsafe values[Int(index)] != .unknown { return false }
      index = unsafe parts[Int(index)].parent
    }
    return true
  }

  /// Sets the value of a comparison, and every value that follows from it.
  func settle(_ leaf: Int32, _ value: Value) {
    var index = Int(leaf)
    var value = value
    while unsafe values[index] == .unknown {
      unsafe values[index] = value
      guard unsafe parts[index].parent >= 0 else { return }
      index = unsafe Int(parts[index].parent)
      unsafe unknownChildren[index] -= 1
      switch unsafe parts[index].rule {
      case .comparison: return
      case .not: value = value == .yes ? .no : .yes
      case .and: if value == .yes, unsafe unknownChildren[index] > 0 { return }
      case .or: if value == .no, unsafe unknownChildren[index] > 0 { return }
      }
    }
  }
}
