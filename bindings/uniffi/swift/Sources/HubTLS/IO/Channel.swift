import CHubTlsFFI
import Foundation
import HubTlsFFI

/// What is read from a socket at once, and encrypted at once.
private let piece = 32_768
/// What a record is longer than its plaintext, at most; and what the connection itself may have to say beside data.
private let (expansion, extra) = (96, 1_024)

/// An engine and its socket. Nothing here waits but what is `async`.
///
/// Two locks, held for no longer than the system needs to copy: what is received has to reach the engine in order, and what the engine encrypts the socket.
/// Whoever has the first may take the second, not the other way round.
final class Channel: Sendable {
  enum Received {
    case plaintext(Data)
    case end
    /// Ciphertext that is no data.
    case other
    case wouldBlock
  }

  private struct Inbox {
    var hasMore = false
    var hasEnded = false
    var hasFailed = false
  }

  let socket: Socket
  private let engine: Engine
  private let number: Int64
  private let fragment: Int
  /// Whether somebody may be asked to sign.
  private let mayBlock: Bool
  private let inbox = Locked(Inbox())
  /// Ciphertext that the socket did not take.
  private let unsent = Locked(Data())

  init(_ config: Config, serverName: String, over socket: Socket) throws {
    self.socket = socket
    engine = try translated { try Engine(config: config.inner, serverName: serverName) }
    number = engine.number()
    mayBlock = config.identity != nil
    switch config.policy.fragmentLength {
    case .off: fragment = 16_384
    case .request(let bytes), .require(let bytes): fragment = Int(bytes)
    }
  }

  var negotiated: Negotiated {
    get throws { try translated { try engine.negotiated() } }
  }

  /// Shakes hands.
  func handshake(until deadline: Deadline) async throws {
    _ = try flush()
    while engine.isHandshaking() {
      try await ready(until: deadline)
      // A signer may take seconds.
      if mayBlock {
        _ = try await outsideThePool(until: deadline) { [self] in try receive(upTo: 0) }
      } else {
        _ = try receive(upTo: 0)
      }
      try expired(deadline)
    }
  }

  /// Waits until something has arrived, and sends meanwhile what could not be sent before.
  func ready(until deadline: Deadline) async throws {
    // What cannot be sent is told to who writes; there may be more to read all the same.
    let isSent = (try? unsent.with { try flush(&$0) }) ?? true
    try await Poller.shared.wait(for: isSent ? .read : [.read, .write], of: socket.descriptor, until: deadline)
  }

  /// Waits until more can be sent.
  func writable(until deadline: Deadline) async throws {
    try await Poller.shared.wait(for: .write, of: socket.descriptor, until: deadline)
  }

  /// What has arrived, at most `limit` bytes of it. Does not wait.
  func receive(upTo limit: Int) throws -> Received {
    try inbox.with { inbox in
      if inbox.hasMore && limit > 0 { return try feed(UnsafeMutableRawBufferPointer(start: nil, count: 0), limit, &inbox) }
      if !inbox.hasMore && inbox.hasFailed { try fail() }
      if !inbox.hasMore && inbox.hasEnded { return .end }
      if inbox.hasFailed || inbox.hasEnded { return .wouldBlock }
      return try withUnsafeTemporaryAllocation(byteCount: piece, alignment: 16) { ciphertext in
        switch socket.receive(into: ciphertext) {
        case .wouldBlock: return .wouldBlock
        case .failed(let failure): throw HubTlsError.io(failure)
        case .done(0):
          try translated { try engine.feedEnd() }
          inbox.hasEnded = true
          return inbox.hasMore ? .other : .end
        case .done(let count): return try feed(UnsafeMutableRawBufferPointer(rebasing: ciphertext[..<count]), limit, &inbox)
        }
      }
    }
  }

  /// Whether plaintext waits, or the end.
  var hasNews: Bool {
    inbox.with { $0.hasMore || $0.hasEnded }
  }

  private func feed(_ ciphertext: UnsafeMutableRawBufferPointer, _ limit: Int, _ inbox: inout Inbox) throws -> Received {
    let capacity = min(limit, piece)
    let (state, plaintext) = withUnsafeTemporaryAllocation(byteCount: max(capacity, 1), alignment: 16) { output in
      let state = State(
        hubtls_engine_feed(
          number, ciphertext.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(ciphertext.count),
          output.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(capacity)))
      return (state, Data(UnsafeRawBufferPointer(rebasing: output[..<state.count])))
    }
    inbox.hasMore = state.has(HUBTLS_ENGINE_MORE)
    inbox.hasEnded = state.has(HUBTLS_ENGINE_ENDED)
    inbox.hasFailed = state.has(HUBTLS_ENGINE_FAILED)
    if state.has(HUBTLS_ENGINE_REFUSED) { try translated { try engine.refuse() } }
    // An alert, an answer: if it cannot leave now, it goes with what is sent next. A transport that takes no more is told to who writes.
    if state.has(HUBTLS_ENGINE_TRANSMIT) || inbox.hasFailed { _ = try? unsent.with { try flush(&$0) } }
    if !plaintext.isEmpty { return .plaintext(plaintext) }
    if inbox.hasMore { return .other }
    if inbox.hasFailed { try fail() }
    return inbox.hasEnded ? .end : .other
  }

  private func fail() throws {
    try translated { try engine.fail() }
  }

  /// Encrypts a piece and sends what the socket takes. Returns how many bytes it encrypted: none while the socket takes no more.
  func push(_ plaintext: UnsafeRawBufferPointer) throws -> Int {
    try sending { unsent in
      guard try flush(&unsent) else { return 0 }
      let count = min(plaintext.count, piece)
      let capacity = count + ((count + fragment - 1) / fragment) * expansion + extra
      try withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 16) { output in
        let state = State(
          hubtls_engine_encrypt(
            number, plaintext.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(count),
            output.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(capacity)))
        try send(UnsafeRawBufferPointer(rebasing: output[..<state.count]), &unsent)
        if state.has(HUBTLS_ENGINE_REFUSED) { try translated { try engine.refuse() } }
        if state.has(HUBTLS_ENGINE_FAILED) { try fail() }
      }
      return count
    }
  }

  /// Queues close_notify.
  func finish() throws {
    try translated { try engine.finish() }
  }

  /// Sends what waits; whether all of it went.
  func flush() throws -> Bool {
    try sending { try flush(&$0) }
  }

  private func flush(_ unsent: inout Data) throws -> Bool {
    if !unsent.isEmpty {
      let waiting = unsent
      unsent = Data()
      try waiting.withUnsafeBytes { try send($0, &unsent) }
    }
    while unsent.isEmpty {
      let isMore = try withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 16) { output in
        let state = State(hubtls_engine_outgoing(number, output.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(output.count)))
        try send(UnsafeRawBufferPointer(rebasing: output[..<state.count]), &unsent)
        return state.has(HUBTLS_ENGINE_TRANSMIT)
      }
      if !isMore { break }
    }
    return unsent.isEmpty
  }

  private func send(_ bytes: UnsafeRawBufferPointer, _ unsent: inout Data) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch socket.send(UnsafeRawBufferPointer(rebasing: rest)) {
      case .done(let count): rest = rest.dropFirst(count)
      case .wouldBlock:
        unsent.append(contentsOf: rest)
        return
      case .failed(let failure): throw Unsendable(failure: failure)
      }
    }
  }

  private struct Unsendable: Error {
    let failure: Int32
  }

  private func sending<Result>(_ work: (inout Data) throws -> Result) throws -> Result {
    do {
      return try unsent.with(work)
    } catch let error as Unsendable {
      // The peer may have said why it takes no more.
      while true {
        switch try? receive(upTo: 0) {
        case .other, .plaintext: continue
        case nil: try inbox.with { if $0.hasFailed { try fail() } }
        case .end, .wouldBlock: break
        }
        throw HubTlsError.io(error.failure)
      }
    }
  }
}

/// What a call of C said.
private struct State {
  private let value: Int64

  init(_ value: Int64) {
    self.value = value
  }

  /// How many bytes came of it.
  var count: Int { Int(value & 0x7fff_ffff) }

  func has(_ flag: Int64) -> Bool {
    value & flag != 0
  }
}
