/// What one task waits for: completed once, by whoever is first.
final class Ticket: Sendable {
  private enum State {
    case new
    case waiting(CheckedContinuation<Void, Error>)
    case complete(Result<Void, Error>)
  }

  private let state = Locked(State.new)

  /// Lets the task go on, with a failure or without. Only the first call counts.
  func complete(_ result: Result<Void, Error> = .success(())) {
    let waiting: CheckedContinuation<Void, Error>? = state.with { state in
      switch state {
      case .complete: return nil
      case .new:
        state = .complete(result)
        return nil
      case .waiting(let continuation):
        state = .complete(result)
        return continuation
      }
    }
    waiting?.resume(with: result)
  }

  /// Waits until it is complete; a cancelled task stops waiting at once.
  func wait() async throws {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let early: Result<Void, Error>? = state.with { state in
          if case .complete(let result) = state { return result }
          state = .waiting(continuation)
          return nil
        }
        if let early { continuation.resume(with: early) }
      }
    } onCancel: {
      complete(.failure(CancellationError()))
    }
  }
}
