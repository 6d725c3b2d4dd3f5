import Foundation
import HubTLS
import Testing

#if os(Linux)
  @Suite(.serialized) struct LeakTests {
    /// Resident bytes.
    private var resident: Int {
      get throws {
        let words = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return Int(words[1])! * Int(sysconf(Int32(_SC_PAGESIZE)))
      }
    }

    private var descriptors: Int {
      get throws { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
    }

    @Test func fiveThousandConnectionsLeaveNothingBehind() async throws {
      let server = try await Server.echo()
      let config = try Config(roots: Roots(file: server.path("roots.pem")), resumption: false)
      // What stays is made with the first.
      try await connection(3, server, config)
      let before = try descriptors
      var used: [Int] = []
      for _ in 0..<5 {
        for _ in 0..<50 {
          try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<20 {
              group.addTask { try await connection(index, server, config) }
            }
            try await group.waitForAll()
          }
        }
        used.append(try resident)
      }
      // Bytes for each connection after the first 2,000: an engine that stayed would be thousands.
      #expect((used[4] - used[1]) / 3_000 < 500, "\(used)")
      #expect(try descriptors <= before)
    }

    /// Some fail, some are cut, some are cancelled; none is closed by hand.
    private func connection(_ index: Int, _ server: Server, _ config: Config) async throws {
      let name = index == 0 ? "other.example" : "localhost"
      do {
        let stream = try await TLSStream.connect(host: "127.0.0.1", port: server.port, config: config, serverName: name, timeout: patience)
        if index == 1 { return }
        if index == 2 {
          let reading = Task { try await stream.read() }
          reading.cancel()
          _ = await reading.result
        }
        _ = try await stream.echo(Data("hello".utf8))
        try await stream.finish()
      } catch let error as HubTlsError where error.code == "HOST_NAME_MISMATCH" {}
    }
  }
#endif
