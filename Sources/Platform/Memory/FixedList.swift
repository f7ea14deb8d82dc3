/// A list of values that can't be copied, whose number never changes.
///
/// Elements are changed where they lie: getting at one comes without reference counting and without a check for
/// being its only owner.
@safe package struct FixedList<Element: ~Copyable>: ~Copyable {
  // Invariant: `count` initialized elements lie at `base`, from the end of `init` to `deinit`. Each access checks
  // its index, and whoever changes an element has exclusive access to the list.
  @usableFromInline let base: UnsafeMutablePointer<Element>
  /// How many there are.
  package let count: Int

  /// Makes each element; if one can't be made, those before it are let go of.
  package init<Failure: Error>(
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

  /// One element.
  @inlinable package subscript(index: Int) -> Element {
    _read {
      precondition(index >= 0 && index < count, "an element of the list")
      yield unsafe base[index]
    }
    _modify {
      precondition(index >= 0 && index < count, "an element of the list")
      yield unsafe &base[index]
    }
  }
}
