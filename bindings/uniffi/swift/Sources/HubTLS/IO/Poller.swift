import Foundation

/// One thread that waits for all sockets and time limits, so that no thread of Swift's pool has to.
final class Poller: @unchecked Sendable {
  private static let made = Locked<Poller?>(nil)
  /// The one of this process, made when first asked for: `IO` if no descriptor is left.
  static var shared: Poller {
    get throws {
      try made.with { made in
        if let made { return made }
        let new = try Poller()
        made = new
        return new
      }
    }
  }

  struct Events: OptionSet {
    let rawValue: Int16
    static let read = Events(rawValue: Int16(POLLIN))
    static let write = Events(rawValue: Int16(POLLOUT))
  }

  private struct Entry {
    let descriptor: Int32
    let events: Events
    let deadline: Deadline
    let ticket: Ticket
  }

  private struct Waiting {
    var entries: [Int: Entry] = [:]
    var next = 0
  }

  private let waiting = Locked(Waiting())
  /// A byte in this pipe wakes the thread.
  private let (wakeable, waker): (Int32, Int32)

  private init() throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw HubTlsError.io(errno) }
    for end in ends { prepare(descriptor: end) }
    (wakeable, waker) = (ends[0], ends[1])
    let thread = Thread { [unowned self] in
      while true { turn() }
    }
    thread.name = "hubtls"
    thread.start()
  }

  /// Waits until the descriptor is ready, the ticket is complete, or the time is over, which is `TIMEOUT`; a cancelled task stops waiting at once.
  func wait(for events: Events = [], of descriptor: Int32 = -1, until deadline: Deadline, ticket: Ticket = Ticket()) async throws {
    try Task.checkCancellation()
    guard descriptor >= 0 || deadline != nil else { return try await ticket.wait() }
    let entry = Entry(descriptor: descriptor, events: events, deadline: deadline, ticket: ticket)
    let number = waiting.with { waiting in
      waiting.next += 1
      waiting.entries[waiting.next] = entry
      return waiting.next
    }
    wake()
    defer {
      // A descriptor that is closed while poll(2) holds it would not end the connection.
      let isPolled = waiting.with { $0.entries.removeValue(forKey: number) != nil }
      if isPolled && descriptor >= 0 { wake() }
    }
    try await ticket.wait()
  }

  private func wake() {
    var byte: UInt8 = 0
    // A full pipe wakes it as well.
    _ = write(waker, &byte, 1)
  }

  private func turn() {
    let entries = waiting.with { Array($0.entries) }
    var descriptors = [pollfd(fd: wakeable, events: Events.read.rawValue, revents: 0)]
    // Each descriptor once: poll(2) takes no more than a process may have open.
    var places: [Int32: Int] = [:]
    for (_, entry) in entries where entry.descriptor >= 0 {
      if let place = places[entry.descriptor] {
        descriptors[place].events |= entry.events.rawValue
      } else {
        places[entry.descriptor] = descriptors.count
        descriptors.append(pollfd(fd: entry.descriptor, events: entry.events.rawValue, revents: 0))
      }
    }
    let first = entries.compactMap(\.value.deadline).min()
    let count = poll(&descriptors, nfds_t(descriptors.count), first?.milliseconds ?? -1)
    // Whatever it was, it must not keep a processor busy.
    if count < 0 && errno != EINTR { usleep(10_000) }
    if descriptors[0].revents != 0 { drain() }
    let now = ContinuousClock.now
    for (number, entry) in entries {
      let found = places[entry.descriptor].map { descriptors[$0].revents } ?? 0
      // An error or a hangup concerns everybody.
      let isReady = count > 0 && found & (entry.events.rawValue | ~Int16(POLLIN | POLLOUT)) != 0
      guard isReady || entry.deadline.map({ $0 <= now }) == true else { continue }
      // Its task may be long in coming, and the descriptor stays ready.
      _ = waiting.with { $0.entries.removeValue(forKey: number) }
      entry.ticket.complete(isReady ? .success(()) : .failure(HubTlsError.timeout))
    }
  }

  private func drain() {
    var bytes = [UInt8](repeating: 0, count: 64)
    while read(wakeable, &bytes, bytes.count) > 0 {}
  }
}

/// Does what blocks in a thread outside Swift's pool, and does not wait for its end if the task is cancelled or the time is over.
func outsideThePool<Value: Sendable>(until deadline: Deadline, _ work: @escaping @Sendable () throws -> Value) async throws -> Value {
  let (ticket, outcome) = (Ticket(), Locked<Result<Value, Error>?>(nil))
  // Dispatch lends its threads to Swift's pool, and makes few more when all are blocked.
  Thread.detachNewThread {
    let result = Result { try work() }
    outcome.with { $0 = result }
    ticket.complete()
  }
  try await Poller.shared.wait(until: deadline, ticket: ticket)
  guard let result = outcome.with({ $0 }) else { preconditionFailure("complete before its outcome") }
  return try result.get()
}
