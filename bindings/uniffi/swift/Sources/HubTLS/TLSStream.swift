import Foundation

/// A TLS connection over a TCP socket.
///
/// One task may read while another writes. Several that read wait for each other, and so do several that write: each message goes out whole. No call blocks a
/// thread of Swift's pool. A call that is cancelled throws `CancellationError` at once, one whose time is over `TIMEOUT`; after either, reading goes on where
/// it stopped, while of what was being written an unknown part has gone.
///
/// The connection is closed with the last reference to it, or by `close`.
public final class TLSStream: Sendable {
  /// What was agreed in the handshake, and who the server is.
  public let negotiated: Negotiated
  /// How long the handshake took.
  public let handshakeDuration: Duration

  private let channel: Locked<Channel?>
  private let reading = Turn()
  private let writing = Turn()

  /// Connects to the first address of `host` that answers, and shakes hands.
  ///
  /// - Parameters:
  ///   - host: A DNS name or an IP address.
  ///   - port: 8883 for MQTT, 5671 for AMQP, 443 for HTTPS and WebSockets.
  ///   - serverName: The name to verify, if not `host`.
  ///   - timeout: How long all of it may take; nil for ever.
  /// - Throws: `UNREACHABLE`, `TIMEOUT`, `CLOSED_IN_HANDSHAKE`, `IO`, any of 3xx, `INVALID_SERVER_NAME`, `INVALID_ARGUMENT`, `SIGNER_FAILED`.
  public static func connect(
    host: String, port: Int, config: Config = .iothub, serverName: String? = nil, timeout: Duration? = .seconds(30)
  ) async throws -> TLSStream {
    let deadline = deadline(after: timeout)
    let name = serverName ?? bare(host)
    // A wrong name is told before anybody is asked for it.
    _ = try Connection(config, serverName: name)
    let socket = try await dial(host: host, port: port, until: deadline)
    return try await TLSStream(Channel(config, serverName: name, over: socket), until: deadline)
  }

  /// Shakes hands over a connected socket, as of a tunnel through a proxy. Takes it over: it is made non-blocking, and closed with the stream or if this throws
  /// (when a signer that is still at work has returned).
  ///
  /// - Throws: As `connect(host:port:config:serverName:timeout:)`.
  public static func connect(
    over descriptor: Int32, serverName: String, config: Config = .iothub, timeout: Duration? = .seconds(30)
  ) async throws -> TLSStream {
    let socket = try Socket(adopting: descriptor)
    return try await TLSStream(Channel(config, serverName: serverName, over: socket), until: deadline(after: timeout))
  }

  private init(_ channel: Channel, until deadline: Deadline) async throws {
    let begin = ContinuousClock.now
    do {
      try await channel.handshake(until: deadline)
    } catch {
      // A signer that is still at work holds the descriptor until it returns.
      channel.socket.shutdown()
      throw error
    }
    handshakeDuration = .now - begin
    negotiated = try channel.negotiated
    self.channel = Locked(channel)
  }

  /// What has arrived, at most `limit` bytes; nil when the server has finished.
  ///
  /// - Throws: `TRUNCATED` if the connection ended and the server had not finished; `TIMEOUT`, `IO`, any of 3xx. What came before is read first.
  public func read(upTo limit: Int = 65_536, timeout: Duration? = nil) async throws -> Data? {
    guard limit > 0 else { throw HubTlsError.invalid("\(limit) bytes cannot be read", hint: "read at least one") }
    let deadline = deadline(after: timeout)
    return try await using(reading, until: deadline) { channel in
      while true {
        try Task.checkCancellation()
        switch try channel.receive(upTo: limit) {
        case .plaintext(let plaintext): return plaintext
        case .end: return nil
        case .other: try expired(deadline)
        case .wouldBlock: try await channel.ready(until: deadline)
        }
      }
    }
  }

  /// Sends all of `bytes`.
  ///
  /// - Throws: `WRITE_AFTER_FINISH`, `RECORD_LIMIT`, `TIMEOUT`, `IO`, and what ended the connection.
  public func write(_ bytes: some ContiguousBytes & Sendable, timeout: Duration? = nil) async throws {
    let deadline = deadline(after: timeout)
    try await using(writing, until: deadline) { channel in
      let total = bytes.withUnsafeBytes(\.count)
      var done = 0
      while done < total {
        try Task.checkCancellation()
        let count = try bytes.withUnsafeBytes { try channel.push(UnsafeRawBufferPointer(rebasing: $0[done...])) }
        done += count
        if count == 0 { try await channel.writable(until: deadline) } else if done < total { try expired(deadline) }
      }
      while try !channel.flush() { try await channel.writable(until: deadline) }
    }
  }

  /// Says that nothing more will be written. Reading goes on until the server finishes too.
  public func finish(timeout: Duration? = .seconds(30)) async throws {
    let deadline = deadline(after: timeout)
    try await using(writing, until: deadline) { channel in
      try channel.finish()
      while try !channel.flush() { try await channel.writable(until: deadline) }
    }
  }

  /// Waits until the server refuses the client's certificate, or sends something, or the time is over.
  ///
  /// A TLS 1.3 server judges the certificate only after the client's handshake, so that a refusal comes with the first read. Call this where it should come at
  /// once; it waits for nothing if no certificate was asked for, or with TLS 1.2.
  public func confirm(within limit: Duration) async throws {
    guard negotiated.version == "TLSv1.3", negotiated.clientCertificateRequested else { return }
    let deadline = deadline(after: limit)
    do {
      try await using(reading, until: deadline) { channel in
        while !channel.hasNews {
          try Task.checkCancellation()
          if case .wouldBlock = try channel.receive(upTo: 0) { try await channel.ready(until: deadline) }
          try expired(deadline)
        }
      }
    } catch let error as HubTlsError where error == .timeout {}
  }

  /// Closes the connection at once: whoever reads or writes gets an `IO` error. `finish` first, so that the server can tell it from a cut connection.
  public func close() {
    let channel = channel.with { channel in
      defer { channel = nil }
      return channel
    }
    channel?.socket.shutdown()
  }

  private func using<Result>(_ turn: Turn, until deadline: Deadline, _ work: (Channel) async throws -> Result) async throws -> Result {
    do {
      return try await turn.with(until: deadline) {
        guard let channel = channel.with({ $0 }) else { throw HubTlsError.closed }
        return try await work(channel)
      }
    } catch let error as HubTlsError {
      throw channel.with { $0 == nil } ? HubTlsError.closed : error
    }
  }
}

extension TLSStream: AsyncSequence {
  public typealias Element = Data

  /// Reads until the server has finished.
  public struct Iterator: AsyncIteratorProtocol {
    let stream: TLSStream

    /// What has arrived; nil when the server has finished.
    public func next() async throws -> Data? {
      try await stream.read()
    }
  }

  /// Begins to read.
  public func makeAsyncIterator() -> Iterator {
    Iterator(stream: self)
  }
}
