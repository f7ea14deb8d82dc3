/// A server before 5.2, as a test plays it: what it does with the one file that it shares.
///
/// Each begins with a new file in the place of the former one.
public protocol SingleFileServer: AnyObject {
  /// Whether the file has a list of sections.
  static var hasList: Bool { get }
  /// Whether the file says which processes write it.
  static var namesProcesses: Bool { get }

  /// Makes a file and puts it in its place in the directory.
  init(directory: String) throws(SupportError)

  /// Logs a whole request for a path; its number is that of the transaction or connection.
  func log(_ path: String, number: Int)
  /// Makes a section, or frees the one that it has made last.
  func changeList()
  /// Frees the log's section, and begins another log in a new one.
  func moveLog()
  /// Begins to change the list, so that nothing in it counts until `endChange`.
  func beginChange()
  /// Ends changing the list.
  func endChange()
  /// Has another process write the file where it is.
  func takeOver()
  /// Ends in an orderly way.
  func leave()
  /// Shows that it is alive, as a manager does each second.
  func tick()
}
