import Foundation
import HubTlsFFI

/// A TLS client connection that owns no socket, for programs with an event loop of their own.
///
/// Loop: send what `transmit` returns, give what arrives to `receive`, take plaintext with `read`. After an error every call throws it again; what `transmit`
/// still returns, an alert, should be sent before the transport is closed. Tasks may share it; each call is short, but waits for the others. With an
/// identity that signs elsewhere, `receive` asks the signer, and so may take as long as that does.
public final class Connection: Sendable {
  private let inner: HubTlsFFI.Connection

  /// A connection to the server of that name, a DNS name or an IP address, whatever address is dialled: `INVALID_SERVER_NAME`.
  public init(_ config: Config = .iothub, serverName: String) throws {
    inner = try translated { try HubTlsFFI.Connection(config: config.inner, serverName: serverName) }
  }

  /// Accepts ciphertext from the transport and returns how many bytes it took; 0 means that `read` must go first.
  public func receive(_ data: Data) throws -> Int {
    Int(try translated { try inner.receive(data: data.prefix(1 << 20)) })
  }

  /// Says that the transport has ended: `CLOSED_IN_HANDSHAKE` or `TRUNCATED` unless the peer had said that it would.
  public func receiveEnd() throws {
    try translated { try inner.receiveEnd() }
  }

  /// At most `limit` decrypted bytes; none now, or no more ever if `isEnded`.
  public func read(upTo limit: Int = 16_384) throws -> Data {
    try translated { try inner.read(limit: Int32(clamping: limit)) }
  }

  /// Encrypts up to 16,384 bytes as one record and returns how many; 0 in the handshake, or while too much waits to be transmitted.
  public func write(_ data: Data) throws -> Int {
    Int(try translated { try inner.write(data: data.prefix(1 << 20)) })
  }

  /// At most `limit` bytes of ciphertext for the transport.
  public func transmit(upTo limit: Int = 1_048_576) throws -> Data {
    try translated { try inner.transmit(limit: Int32(clamping: limit)) }
  }

  /// Queues close_notify: nothing more can be written; receiving goes on until the peer finishes too.
  public func finish() throws {
    try translated { try inner.finish() }
  }

  /// What was agreed: `HANDSHAKE_NOT_COMPLETE` before that.
  public var negotiated: Negotiated {
    get throws { try translated { try inner.negotiated() } }
  }

  /// How many decrypted bytes can be read at once.
  public var readableBytes: Int {
    get throws { Int(try translated { try inner.readableBytes() }) }
  }

  /// Whether the handshake goes on.
  public var isHandshaking: Bool {
    get throws { try translated { try inner.isHandshaking() } }
  }

  /// Whether `receive` would take more now.
  public var wantsReceive: Bool {
    get throws { try translated { try inner.wantsReceive() } }
  }

  /// Whether something waits in `transmit`.
  public var wantsTransmit: Bool {
    get throws { try translated { try inner.wantsTransmit() } }
  }

  /// Whether the peer has finished and everything before that was read.
  public var isEnded: Bool {
    get throws { try translated { try inner.isEnded() } }
  }
}
