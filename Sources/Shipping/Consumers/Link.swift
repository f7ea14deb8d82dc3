import Platform
import Spool

/// A way to a consumer that may come and go, such as a child process or a connection.
///
/// There is at most one consumer at a time. A link knows how to get one, to send to it and to find out how much
/// of that it has taken; what to send, and what to do when it goes, is `LinkSink`'s concern.
protocol Link: AnyObject {
  /// The name for messages.
  var name: String { get }

  /// The longest pause between two attempts to get a consumer.
  var pauseNanosecondsMax: Int64 { get }

  /// A descriptor that becomes readable when `condition` has something new to say.
  var wakeDescriptor: Int32? { get }

  /// What is sent of an entry; settled once there has been a consumer.
  var form: EntryForm { get }

  /// How many of the bytes that count as taken the present consumer may not have read.
  var doubtfulByteCountMax: Int { get }

  /// Sets about getting a consumer; there is none now.
  func begin(at now: Moment) -> LinkCondition

  /// How things stand, after taking notice of all that has happened.
  func condition(at now: Moment) -> LinkCondition

  /// Sends what there is room for, without waiting.
  func send(_ bytes: UnsafeRawBufferPointer, at now: Moment) -> LinkProgress

  /// How many of all bytes sent the consumer may not have taken, those sent last; also after its end.
  func unreadByteCount() -> Int

  /// The most that can be sent as one piece, so that the consumer finds all of it or nothing.
  func pieceByteCount(unread: Int) -> Int

  /// Tells the consumer, which has taken everything, that this was all; ends in `LinkCondition.ended`.
  func finish(at now: Moment)

  /// Ends the consumer at once, as far as that is in our power.
  func halt()

  /// Lets go of the consumer, be it there or not.
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

/// How things stand with a consumer.
enum LinkCondition: Equatable {
  /// No consumer is there, and that is no failure.
  case absent
  /// It can't be sent anything at present; if that changes when a descriptor becomes writable, this one.
  case pending(writable: Int32?)
  /// It is there; there is no use in sending before this descriptor is writable.
  case open(Int32)
  /// It has gone, or could not be got.
  case ended(LinkEnd)
}

/// How a consumer went.
struct LinkEnd: Equatable {
  /// In words that go behind its name.
  var reason: String
  /// Whether it says that it has failed, even if it has taken everything.
  var isFailure = false
  /// Whether consumers of its kind come and go, and there is nothing to be said of that.
  var isUsual = false
  /// Whether it went without warning, so that it may not have read what its system had taken.
  var isAbrupt = false
  /// Why there is no use in trying again, if there is none.
  var refusal: SystemError?
}

/// What came of sending.
enum LinkProgress: Equatable {
  /// So many bytes were sent; none if there is no room.
  case sent(Int)
  /// It never takes as much as one piece; nothing of this was sent.
  case tooLarge
  /// It doesn't take anything any more; the condition says more.
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
