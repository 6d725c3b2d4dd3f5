import Foundation

/// One thread that waits for all sockets and time limits, so that no thread of Swift's pool has to.
final class Poller: @unchecked Sendable {
  static let shared = Poller()

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

  private init() {
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0, "no pipe: \(reason(errno))")
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
    defer { _ = waiting.with { $0.entries.removeValue(forKey: number) } }
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
    descriptors += entries.map { pollfd(fd: $0.value.descriptor, events: $0.value.events.rawValue, revents: 0) }
    let first = entries.compactMap(\.value.deadline).min()
    let count = poll(&descriptors, nfds_t(descriptors.count), first?.milliseconds ?? -1)
    if descriptors[0].revents != 0 { drain() }
    let now = ContinuousClock.now
    for ((number, entry), polled) in zip(entries, descriptors.dropFirst()) {
      let isReady = count > 0 && polled.revents != 0
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
  DispatchQueue.global().async {
    let result = Result { try work() }
    outcome.with { $0 = result }
    ticket.complete()
  }
  try await Poller.shared.wait(until: deadline, ticket: ticket)
  guard let result = outcome.with({ $0 }) else { preconditionFailure("complete before its outcome") }
  return try result.get()
}
