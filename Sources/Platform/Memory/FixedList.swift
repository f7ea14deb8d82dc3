/// A list of values that can't be copied, with a fixed number of elements.
///
/// Elements are changed in place: access needs neither reference counting nor a check for being the only
/// owner.
@safe public struct FixedList<Element: ~Copyable>: ~Copyable {
  // Invariant: `count` initialized elements lie at `base`, from the end of `init` to `deinit`. Each access checks
  // its index, and code that changes an element has exclusive access to the list.
  @usableFromInline let base: UnsafeMutablePointer<Element>
  /// The number of elements.
  public let count: Int

  /// Makes each element; if one can't be made, those before it are destroyed.
  public init<Failure: Error>(
    count: Int, _ make: (Int) throws(Failure) -> Element
  ) throws(Failure) {
    let memory = UnsafeMutablePointer<Element>.allocate(capacity: count)
    for index in 0..<count {
      do throws(Failure) {
        unsafe (memory + index).initialize(to: try make(index))
      } catch {
        unsafe memory.deinitialize(count: index)
        unsafe memory.deallocate()
        throw error
      }
    }
    unsafe base = unsafe memory
    self.count = count
  }

  deinit {
    unsafe base.deinitialize(count: count)
    unsafe base.deallocate()
  }

  /// The elements in a list from which each can be taken out by itself, to make another list of them.
  package consuming func opened() -> FixedList<Element?> {
    let memory = unsafe base
    let count = count
    discard self
    defer { unsafe memory.deallocate() }
    return FixedList<Element?>(count: count) { unsafe (memory + $0).move() }
  }

  /// One element.
  ///
  /// Accessed by address: a coroutine would be called for each access, unspecialised.
  @inlinable public subscript(index: Int) -> Element {
    @inline(__always) unsafeAddress {
      precondition(index >= 0 && index < count, "an element of the list")
      return unsafe UnsafePointer(base + index)
    }
    @inline(__always) unsafeMutableAddress {
      precondition(index >= 0 && index < count, "an element of the list")
      return unsafe base + index
    }
  }
}
