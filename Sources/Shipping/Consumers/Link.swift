import Platform
import Spool

/// A link to a consumer that may come and go, such as a child process or a connection.
///
/// There is at most one consumer at a time. A link gets consumers, sends to them and finds out how much of
/// that they have taken; `LinkSink` decides what to send, and what to do when a consumer goes.
protocol Link: AnyObject {
  /// The name for messages.
  var name: String { get }

  /// The longest pause between two attempts to get a consumer.
  var pauseNanosecondsMax: Int64 { get }

  /// A descriptor that becomes readable when `condition` may have changed.
  var wakeDescriptor: Int32? { get }

  /// The form in which entries are sent; known once there has been a consumer.
  var form: EntryForm { get }

  /// How many of the bytes that count as taken the present consumer may not have read.
  var doubtfulByteCountMax: Int { get }

  /// Starts getting a consumer; there must be none now.
  func begin(at now: Moment) -> LinkCondition

  /// The state of the consumer, after taking notice of all events.
  func condition(at now: Moment) -> LinkCondition

  /// Sends as many bytes as there is room for, without waiting.
  func send(_ bytes: UnsafeRawBufferPointer, at now: Moment) -> LinkProgress

  /// How many of the bytes sent last the consumer may not have taken; also after its end.
  func unreadByteCount() -> Int

  /// The largest piece that can be sent so that the consumer gets all of it or nothing.
  func pieceByteCount(unread: Int) -> Int

  /// Tells the consumer, which has taken everything, that nothing more comes; leads to `LinkCondition.ended`.
  func finish(at now: Moment)

  /// Ends the consumer at once, as far as we can.
  func halt()

  /// Releases what belongs to the consumer, whether or not there is one.
  func release()
}

extension Link {
  var pauseNanosecondsMax: Int64 { 30_000_000_000 }
  var form: EntryForm { .line }
  var doubtfulByteCountMax: Int { 0 }
  func pieceByteCount(unread: Int) -> Int { .max }
  func halt() {}

  /// Sends bytes that are in an array.
  func send(_ bytes: ArraySlice<UInt8>, at now: Moment) -> LinkProgress {
    unsafe bytes.withUnsafeBytes { unsafe send($0, at: now) }
  }
}

/// The state of a link's consumer.
enum LinkCondition: Equatable {
  /// There is no consumer, and that is no failure.
  case absent
  /// Nothing can be sent at present; the descriptor, if any, becomes writable when that changes.
  case pending(writable: Int32?)
  /// There is a consumer; sending is of no use before this descriptor is writable.
  case open(Int32)
  /// The consumer has ended, or could not be got.
  case ended(LinkEnd)
}

/// How a consumer ended.
struct LinkEnd: Equatable {
  /// The reason, in words that follow the link's name.
  var reason: String
  /// Whether the consumer reports that it has failed, even if it has taken everything.
  var isFailure = false
  /// Whether consumers of this kind come and go, so that an end that leaves no entries is not reported.
  var isUsual = false
  /// Whether the consumer ended abruptly, so that it may not have read what its system had taken.
  var isAbrupt = false
  /// Why another attempt is of no use, if that is so.
  var refusal: SystemError?
}

/// The result of sending.
enum LinkProgress: Equatable {
  /// This many bytes were sent; none if there is no room.
  case sent(Int)
  /// The consumer never takes as much in one piece; none of it was sent.
  case tooLarge
  /// The consumer takes nothing any more; the link's condition tells why.
  case broken
}

extension LinkProgress {
  /// Writes to a pipe that doesn't block.
  init(writing bytes: UnsafeRawBufferPointer, to pipe: Int32, by system: SystemCalls) {
    do {
      self = unsafe .sent(try system.write(pipe, bytes))
    } catch .wouldBlock {
      self = .sent(0)
    } catch {
      self = .broken
    }
  }
}
