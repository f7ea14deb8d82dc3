/// Where a record that was rendered ends.
public struct RecordEnd {
  /// The end of its text, in bytes from the beginning of all text.
  public var text: Int
  /// The end of the record itself: how many bytes of its run follow.
  public var bytesLeft: Int
}
