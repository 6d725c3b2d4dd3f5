import Foundation
import HubTLS
import Testing

@Suite struct ConnectionTests {
  /// The loop of a program that owns its socket.
  @Test func aProgramCanOwnItsSocket() async throws {
    let server = try await Server.echo()
    let connection = try Connection(trusting(server), serverName: "localhost")
    #expect(try connection.isHandshaking && connection.wantsTransmit && connection.wantsReceive)
    #expect(try await failure { try connection.negotiated }.code == "HANDSHAKE_NOT_COMPLETE")
    let descriptor = try BlockingSocket.connected(to: server.port)
    let socket = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let received = try await patiently {
      var received = Data()
      var isSent = false
      while try !connection.isEnded {
        socket.write(try connection.transmit())
        if try !connection.isHandshaking && !isSent {
          isSent = try connection.write(Data("hello".utf8)) == 5
          continue
        }
        var arrived = socket.availableData
        if arrived.isEmpty { try connection.receiveEnd() }
        while !arrived.isEmpty {
          arrived = arrived.dropFirst(try connection.receive(arrived))
          received += try connection.read()
        }
        if received.count == 5 { try connection.finish() }
      }
      return received
    }
    #expect(received == Data("hello".utf8))
    #expect(try connection.negotiated.version == "TLSv1.3" && connection.readableBytes == 0)
  }

  @Test func whatIsNoTlsIsAnErrorThatStays() async throws {
    let connection = try Connection(serverName: "hub.example")
    _ = try connection.transmit()
    for _ in 0..<2 {
      let wrong = try await failure { try connection.receive(Data("HTTP/1.1 400 Bad Request\r\n".utf8)) }
      #expect(wrong.code == "NOT_TLS")
    }
    #expect(try await failure { try connection.read(upTo: -1) }.code == "INVALID_ARGUMENT")
    #expect(try await failure { try Connection(serverName: "") }.code == "INVALID_SERVER_NAME")
  }
}
