import Foundation
import HubTLS
import Testing

@Suite struct StreamTests {
  private func connected(to server: Server) async throws -> TLSStream {
    try await TLSStream.connect(host: "localhost", port: server.port, config: trusting(server), timeout: patience)
  }

  @Test func whatIsWrittenComesBackWhileItIsWritten() async throws {
    let server = try await Server.echo()
    let stream = try await connected(to: server)
    let sent = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    async let received = stream.read(exactly: sent.count)
    try await stream.write(sent)
    #expect(try await received == sent)
  }

  @Test func messagesOfManyTasksGoOutWhole() async throws {
    let server = try await Server.echo()
    let stream = try await connected(to: server)
    let (tasks, size) = (10, 100_000)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<tasks {
        group.addTask { try await stream.write([UInt8](repeating: UInt8(task), count: size)) }
      }
      let received = try await stream.read(exactly: tasks * size)
      for start in stride(from: 0, to: received.count, by: size) {
        #expect(Set(received[start..<(start + size)]).count == 1)
      }
      try await group.waitForAll()
    }
  }

  @Test func finishLeavesTheOtherDirectionOpen() async throws {
    let server = try await Server.echo()
    let stream = try await connected(to: server)
    try await stream.write(Data("first".utf8))
    try await stream.write(Array("second".utf8))
    try await stream.finish()
    let late = try await failure { try await stream.write(Data("third".utf8)) }
    #expect(late.code == "WRITE_AFTER_FINISH")
    var received = Data()
    for try await piece in stream { received += piece }
    #expect(String(decoding: received, as: UTF8.self) == "firstsecond")
    #expect(try await stream.read() == nil)
  }

  @Test func aReadCanBeSmall() async throws {
    let server = try await Server.echo()
    let stream = try await connected(to: server)
    try await stream.write(Data("abc".utf8))
    for letter in ["a", "b", "c"] {
      #expect(try await stream.read(upTo: 1) == Data(letter.utf8))
    }
    let nothing = try await failure { try await stream.read(upTo: 0) }
    #expect(nothing.code == "INVALID_ARGUMENT")
  }

  @Test func aCancelledReadEndsAtOnceAndLosesNothing() async throws {
    let server = try await Server.echo()
    let stream = try await connected(to: server)
    let reading = Task { try await stream.read() }
    let waiting = Task { try await stream.read() }
    await Task.yield()
    waiting.cancel()
    reading.cancel()
    for task in [reading, waiting] {
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    #expect(try await stream.echo(Data("hello".utf8)) == Data("hello".utf8))
  }

  @Test func aReadThatIsLateIsATimeoutAndLosesNothing() async throws {
    let server = try await Server.echo()
    let stream = try await connected(to: server)
    let late = try await failure { try await stream.read(timeout: .milliseconds(20)) }
    #expect(late.code == "TIMEOUT" && late.number == 403 && late.isTransient)
    #expect(try await stream.echo(Data("hello".utf8)) == Data("hello".utf8))
  }

  @Test func aWriteThatNobodyTakesIsATimeout() async throws {
    let server = try await Server.echo()
    let stream = try await connected(to: server)
    let late = try await failure { try await stream.write([UInt8](repeating: 1, count: 64_000_000), timeout: .milliseconds(200)) }
    #expect(late.code == "TIMEOUT")
    #expect(try await stream.read(exactly: 100_000) == Data(repeating: 1, count: 100_000))
  }

  @Test func aCancelledWriteEndsAtOnce() async throws {
    let server = try await Server.echo()
    let stream = try await connected(to: server)
    let writing = Task { try await stream.write([UInt8](repeating: 1, count: 64_000_000)) }
    // Something has gone out.
    _ = try await stream.read()
    writing.cancel()
    await #expect(throws: CancellationError.self) { try await writing.value }
  }

  @Test func closeWakesWhoReads() async throws {
    let server = try await Server.echo()
    let stream = try await connected(to: server)
    let reading = Task { try await stream.read() }
    await Task.yield()
    stream.close()
    let woken = try await failure { try await reading.value }
    #expect(woken.code == "IO" && woken.sentence.contains("closed"))
    let after = try await failure { try await stream.write(Data("x".utf8)) }
    #expect(after == woken)
    stream.close()
  }

  @Test func aHundredConnectionsWorkAtOnce() async throws {
    let server = try await Server.echo()
    let config = try trusting(server)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for index in 0..<100 {
        group.addTask {
          let stream = try await TLSStream.connect(host: "localhost", port: server.port, config: config, timeout: patience)
          let message = Data("connection \(index)".utf8)
          return try await stream.echo(message) == message
        }
      }
      for try await isSame in group { #expect(isSame) }
    }
  }

  @Test func sessionsAreResumed() async throws {
    let server = try await Server.echo()
    let (config, never) = (try trusting(server), try trusting(server, resumption: false))
    for (config, expected) in [(config, [false, true]), (never, [false, false])] {
      var resumed: [Bool] = []
      for _ in 0..<2 {
        let stream = try await TLSStream.connect(host: "localhost", port: server.port, config: config, timeout: patience)
        // Tickets come with the first data.
        _ = try await stream.echo(Data("x".utf8))
        resumed.append(stream.negotiated.resumed)
        #expect(stream.handshakeDuration > .zero && stream.handshakeDuration < patience)
      }
      #expect(resumed == expected)
    }
  }

  @Test func aSocketOfOnesOwnIsTakenOver() async throws {
    let server = try await Server.echo()
    let descriptor = try BlockingSocket.connected(to: server.port)
    let stream = try await TLSStream.connect(over: descriptor, serverName: "localhost", config: trusting(server))
    #expect(try await stream.echo(Data("hello".utf8)) == Data("hello".utf8))
    let wrong = try await failure { try await TLSStream.connect(over: -1, serverName: "localhost") }
    #expect(wrong.code == "INVALID_ARGUMENT")
  }

  @Test func whatCannotBeReachedIsSaid() async throws {
    let free = try BlockingSocket.freePort()
    let refused = try await failure { try await TLSStream.connect(host: "localhost", port: free, timeout: patience) }
    #expect(refused.code == "UNREACHABLE" && refused.isTransient && refused.sentence.contains("localhost:\(free)"))
    let unknown = try await failure { try await TLSStream.connect(host: "no-such-host.invalid", port: 8883, timeout: patience) }
    #expect(unknown.code == "UNREACHABLE")
    let bracketed = try await failure { try await TLSStream.connect(host: "[::1]", port: free, timeout: patience) }
    #expect(bracketed.code == "UNREACHABLE")
    let port = try await failure { try await TLSStream.connect(host: "localhost", port: 70_000) }
    #expect(port.code == "INVALID_ARGUMENT")
    let name = try await failure { try await TLSStream.connect(host: "localhost", port: free, serverName: "not a name") }
    #expect(name.code == "INVALID_SERVER_NAME")
  }

  @Test func aServerThatSaysNothingIsATimeoutAndCanBeCancelled() async throws {
    let silent = try BlockingSocket.listening()
    let late = try await failure { try await TLSStream.connect(host: "127.0.0.1", port: silent.port, timeout: .milliseconds(50)) }
    #expect(late.code == "TIMEOUT")
    let connecting = Task { try await TLSStream.connect(host: "127.0.0.1", port: silent.port, timeout: nil) }
    await Task.yield()
    connecting.cancel()
    await #expect(throws: CancellationError.self) { _ = try await connecting.value }
  }

  @Test func whatAPeerSaidBeforeItCutTheConnectionIsTold() async throws {
    for _ in 0..<20 {
      let listener = try BlockingSocket.listening()
      // A handshake message that is none: there is an alert to send, and nobody to take it.
      let serving = Thread { listener.answerAndCut(Data([22, 3, 3, 0, 4, 2, 0, 0, 0])) }
      serving.start()
      let failed = try await failure { try await TLSStream.connect(host: "127.0.0.1", port: listener.port, timeout: patience) }
      #expect(failed.code == "PEER_MISBEHAVED" && failed.alert == "decode_error")
    }
  }

  @Test func aServerWithTheWrongNameOrRootIsRefused() async throws {
    let server = try await Server.echo()
    let config = try trusting(server)
    let other = try await failure {
      try await TLSStream.connect(host: "localhost", port: server.port, config: config, serverName: "other.example", timeout: patience)
    }
    #expect(other.code == "HOST_NAME_MISMATCH" && other.number == 302 && other.alert == "bad_certificate" && !other.alertReceived)
    let unknown = try await failure { try await TLSStream.connect(host: "localhost", port: server.port, timeout: patience) }
    #expect(unknown.code == "UNKNOWN_ROOT" && unknown.alertCode == 48)
  }

  @Test func aRefusalOfTheCertificateCanBeWaitedFor() async throws {
    let server = try await Server.scenario("A client certificate demanded in TLS 1.3 and missing is told")
    let stream = try await connected(to: server)
    let refused = try await failure { try await stream.confirm(within: patience) }
    #expect(refused.code == "CLIENT_CERTIFICATE_REQUIRED" && refused.alertReceived)
    let indifferent = try await Server.echo()
    try await connected(to: indifferent).confirm(within: patience)
  }

  @Test func acceptanceIsNotWaitedForLongerThanSaidWhileAnotherReads() async throws {
    let server = try await Server.scenario("OpenSSL with TLS 1.3 accepts a client certificate with a key p256")
    let identity = try Identity(chainFile: server.path("identity.chain"), keyFile: server.path("identity.key"))
    let config = try Config(roots: Roots(file: server.path("roots.pem")), identity: identity)
    let stream = try await TLSStream.connect(host: "localhost", port: server.port, config: config, timeout: patience)
    let reader = Task { try await stream.read() }
    try await Task.sleep(for: .milliseconds(50))
    try await stream.confirm(within: .milliseconds(50))
    reader.cancel()
    _ = await reader.result
  }

  @Test func aHostWithANulIsRefused() async throws {
    let refused = try await failure { try await TLSStream.connect(host: "127.0.0.1\0.example", port: 8883, serverName: "localhost") }
    #expect(refused.code == "INVALID_ARGUMENT")
  }

  @Test func acceptanceOfTheCertificateIsNotWaitedForLongerThanSaid() async throws {
    let server = try await Server.scenario("OpenSSL with TLS 1.3 accepts a client certificate with a key p256")
    let identity = try Identity(chainFile: server.path("identity.chain"), keyFile: server.path("identity.key"))
    let config = try Config(roots: Roots(file: server.path("roots.pem")), identity: identity)
    let stream = try await TLSStream.connect(host: "localhost", port: server.port, config: config, timeout: patience)
    try await stream.confirm(within: .milliseconds(50))
    try await stream.write(server.send)
    #expect(try await stream.read(exactly: server.receive.count) == server.receive)
  }
}

/// The configuration that trusts the server, and nobody else.
func trusting(_ server: Server, resumption: Bool = true) throws -> Config {
  try Config(roots: Roots(file: server.path("roots.pem")), resumption: resumption)
}
