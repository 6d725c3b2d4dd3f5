/// When patience ends; nil waits for ever.
typealias Deadline = ContinuousClock.Instant?

/// That long from now. What is longer than a century is for ever.
func deadline(after limit: Duration?) -> Deadline {
  guard let limit, limit < .seconds(3_000_000_000) else { return nil }
  return .now + max(limit, .zero)
}

extension ContinuousClock.Instant {
  /// How long until then, in whole milliseconds, rounded up: for poll(2).
  var milliseconds: Int32 {
    let (seconds, attoseconds) = (self - .now).components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    guard seconds < 1_000_000 else { return 1_000_000_000 }
    return Int32(seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}

/// Throws `TIMEOUT` if the time is over: what is always ready must not go on for ever.
func expired(_ deadline: Deadline) throws {
  if let deadline, deadline <= .now { throw HubTlsError.timeout }
}
