/// Where a record that was rendered ends.
public struct RecordEnd {
  /// Its text, in bytes from where all of the text begins.
  public var text: Int
  /// Itself: how many bytes of its run come behind it.
  public var bytesLeft: Int
}
