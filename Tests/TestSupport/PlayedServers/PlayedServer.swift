/// A server, as a test plays it: what it does with the memory that it shares.
///
/// Each begins with new files in the place of the former ones.
public protocol PlayedServer: AnyObject {
  /// Whether it has a list of sections.
  static var hasList: Bool { get }
  /// Whether the file that it writes says which processes do, so that others can take it over.
  static var canBeTakenOver: Bool { get }

  /// Makes its files in a directory.
  init(directory: String) throws(SupportError)

  /// Logs a whole request for a path; its number is that of the transaction or connection.
  func log(_ path: String, number: Int)
  /// Frees the section that it has made last, if there is one, and makes another.
  func changeList() throws(SupportError)
  /// Frees the log's section, and begins another log in a new one.
  func moveLog() throws(SupportError)
  /// Has another process write the file where it is.
  func takeOver()
  /// Ends in an orderly way.
  func leave()
  /// Shows that it is alive, as a manager does each second.
  func tick()
}

extension PlayedServer {
  public func changeList() throws(SupportError) {}
  public func moveLog() throws(SupportError) {}
  public func takeOver() {}
  public func tick() {}
}
