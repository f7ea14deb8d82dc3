/// A server played by a test: it does with shared memory what a server does.
///
/// Each instance begins with new files that replace those of the previous one.
public protocol PlayedServer: AnyObject {
  /// Whether its shared memory has a list of sections.
  static var hasList: Bool { get }
  /// Whether its file names the processes that write it, so that other processes can take it over.
  static var canBeTakenOver: Bool { get }

  /// Makes its files in a directory.
  init(directory: String) throws(SupportError)

  /// Logs a whole request for a path; `number` identifies the transaction or the connection.
  func log(_ path: String, number: Int)
  /// Frees the section made last by this call, if there is one, and makes another.
  func changeList() throws(SupportError)
  /// Frees the log's section, and begins another log in a new one.
  func moveLog() throws(SupportError)
  /// Makes the file look as if another process wrote it now.
  func takeOver()
  /// Ends in an orderly way.
  func leave()
  /// Shows that the server is alive, as a manager does each second.
  func tick()
}

extension PlayedServer {
  /// Does nothing: there is no list.
  public func changeList() throws(SupportError) {}
  /// Does nothing: there is no list.
  public func moveLog() throws(SupportError) {}
  /// Does nothing: the file can't be taken over.
  public func takeOver() {}
  /// Does nothing: the file has no sign of life.
  public func tick() {}
}
