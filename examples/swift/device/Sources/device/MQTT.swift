import Foundation
import HubTLS

/// As much of MQTT 3.1.1 as one message takes.
struct MQTT {
  private let stream: TLSStream

  init(_ stream: TLSStream) {
    self.stream = stream
  }

  struct Unexpected: Error, CustomStringConvertible {
    let description: String
  }

  func connect(client: String, user: String) async throws {
    // Protocol level 4, a user name and a clean session, a minute until the broker misses us.
    try await send(0x10, text("MQTT") + [4, 0x82, 0, 60] + text(client) + text(user))
    let (kind, answer) = try await receive()
    guard kind == 0x20, answer.count == 2, answer[1] == 0 else { throw Unexpected(description: "not accepted: \(kind) \(answer)") }
  }

  /// With quality of service 1: the hub confirms that it has the message.
  func publish(_ message: String, to topic: String) async throws {
    try await send(0x32, text(topic) + [0, 1] + Array(message.utf8))
    let (kind, answer) = try await receive()
    guard kind == 0x40, answer == [0, 1] else { throw Unexpected(description: "not confirmed: \(kind) \(answer)") }
  }

  func disconnect() async throws {
    try await send(0xE0, [])
  }

  /// A packet in one piece, so that it travels in one TLS record.
  private func send(_ kind: UInt8, _ content: [UInt8]) async throws {
    var (packet, rest) = ([kind], content.count)
    repeat {
      packet.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
      rest >>= 7
    } while rest > 0
    try await stream.write(packet + content, timeout: .seconds(10))
  }

  private func receive() async throws -> (kind: UInt8, content: [UInt8]) {
    let kind = try await read(1)[0]
    var (length, shift) = (0, 0)
    while true {
      let byte = try await read(1)[0]
      length |= Int(byte & 0x7F) << shift
      shift += 7
      if byte < 0x80 || shift > 21 { break }
    }
    return (kind, try await read(length))
  }

  private func read(_ count: Int) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      guard let more = try await stream.read(upTo: count - bytes.count, timeout: .seconds(10)) else {
        throw Unexpected(description: "the broker ended the connection")
      }
      bytes += more
    }
    return bytes
  }

  private func text(_ text: String) -> [UInt8] {
    [UInt8(text.utf8.count >> 8), UInt8(text.utf8.count & 0xFF)] + Array(text.utf8)
  }
}
