import Foundation
import Testing

@testable import HubTLS

@Suite struct WaitingTests {
  @Test func tasksAreLetInOneByOneWhateverIsCancelled() async throws {
    let (turn, inside, done) = (Turn(), Locked(0), Locked(0))
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<2_000 {
        let task = Task {
          let limit: Duration? = index % 5 == 0 ? .microseconds(index) : nil
          try await turn.with(until: deadline(after: limit)) {
            #expect(
              inside.with {
                $0 += 1; return $0
              } == 1)
            await Task.yield()
            inside.with { $0 -= 1 }
            done.with { $0 += 1 }
          }
        }
        group.addTask {
          if index % 3 == 0 {
            await Task.yield()
            task.cancel()
          }
          _ = await task.result
        }
      }
    }
    #expect(done.with { $0 } > 0 && inside.with { $0 } == 0)
    // Nobody left with it.
    try await turn.with(until: deadline(after: patience)) {}
  }

  @Test func aDeadlineIsNeverBeforeNowNorTooFarAway() {
    #expect(deadline(after: nil) == nil && deadline(after: .seconds(Int64.max)) == nil)
    #expect(deadline(after: .seconds(-1))?.milliseconds == 0)
    #expect(ContinuousClock.Instant.now.advanced(by: .seconds(2_000_000)).milliseconds == 1_000_000_000)
    let soon = ContinuousClock.Instant.now.advanced(by: .microseconds(1_500)).milliseconds
    #expect((0...2).contains(soon))
  }

  @Test func nobodyIsLateBeforeTheTime() async {
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<50 {
        group.addTask {
          let end = ContinuousClock.now + .milliseconds(index)
          await #expect(throws: HubTlsError.timeout) { try await Poller.shared.wait(until: end) }
          #expect(ContinuousClock.now >= end)
        }
      }
    }
  }

  @Test func whatBlocksIsNotWaitedForByACancelledTask() async throws {
    let (gate, isDone) = (DispatchSemaphore(value: 0), Locked(false))
    let waiting = Task {
      try await outsideThePool(until: nil) {
        gate.wait()
        isDone.with { $0 = true }
      }
    }
    await Task.yield()
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(!isDone.with { $0 })
    gate.signal()
  }

  @Test func whatBlocksLeavesSwiftsPoolAlone() async throws {
    let gate = DispatchSemaphore(value: 0)
    let blocked = 4 * ProcessInfo.processInfo.activeProcessorCount
    let begun = Locked(0)
    let waiting = (0..<blocked).map { _ in
      Task {
        try await outsideThePool(until: nil) {
          begun.with { $0 += 1 }
          gate.wait()
        }
      }
    }
    while begun.with({ $0 }) < blocked { await Task.yield() }
    let begin = ContinuousClock.now
    await Task.detached {}.value
    #expect(ContinuousClock.now - begin < .seconds(1))
    for _ in waiting { gate.signal() }
    for task in waiting { try await task.value }
  }

  @Test func moreMayWaitThanAProcessMayOpen() async throws {
    let listener = try BlockingSocket.listening()
    let socket = try Socket(adopting: BlockingSocket.connected(to: listener.port))
    var limit = rlimit()
    #if canImport(Glibc)
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    #else
      getrlimit(RLIMIT_NOFILE, &limit)
    #endif
    let many = Int(min(limit.rlim_cur, 4_096)) + 100
    let readers = (0..<many).map { _ in Task { try await Poller.shared.wait(for: .read, of: socket.descriptor, until: nil) } }
    // Somebody else is served all the same.
    try await Poller.shared.wait(for: .write, of: socket.descriptor, until: deadline(after: patience))
    for reader in readers { reader.cancel() }
    for reader in readers { _ = await reader.result }
  }

  @Test func aConnectionThatIsGivenUpEnds() async throws {
    let listener = try BlockingSocket.listening()
    var socket: Socket? = try Socket(adopting: BlockingSocket.connected(to: listener.port))
    let reader = Task { [descriptor = socket!.descriptor] in try await Poller.shared.wait(for: .read, of: descriptor, until: nil) }
    try await Task.sleep(for: .milliseconds(50))
    reader.cancel()
    _ = await reader.result
    socket = nil
    #expect(try await patiently { listener.waitForEnd() })
  }
}
