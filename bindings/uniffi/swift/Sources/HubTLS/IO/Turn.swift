/// Lets tasks in one after the other, in the order in which they came.
final class Turn: Sendable {
  private struct State {
    var isTaken = false
    var queue: [Ticket] = []
  }

  private let state = Locked(State())

  /// Does `work` when the tasks before have done theirs: `TIMEOUT`.
  func with<Result>(until deadline: Deadline, _ work: () async throws -> Result) async throws -> Result {
    try await take(until: deadline)
    defer { give() }
    return try await work()
  }

  private func take(until deadline: Deadline) async throws {
    let ticket: Ticket? = state.with { state in
      guard state.isTaken else {
        state.isTaken = true
        return nil
      }
      state.queue.append(Ticket())
      return state.queue.last
    }
    guard let ticket else { return }
    do {
      try await Poller.shared.wait(until: deadline, ticket: ticket)
    } catch {
      let isQueued = state.with { state in
        let index = state.queue.firstIndex { $0 === ticket }
        if let index { state.queue.remove(at: index) }
        return index != nil
      }
      // It was its turn just as it gave up.
      if !isQueued { give() }
      throw error
    }
  }

  private func give() {
    let next: Ticket? = state.with { state in
      guard !state.queue.isEmpty else {
        state.isTaken = false
        return nil
      }
      return state.queue.removeFirst()
    }
    next?.complete()
  }
}
