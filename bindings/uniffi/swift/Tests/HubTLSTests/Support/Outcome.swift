import Foundation
import HubTLS
import Testing

/// How long a test waits for what takes milliseconds on an idle machine.
let patience = Duration.seconds(20)

/// The error that `work` throws; another than hubtls's, or none, fails the test.
func failure<Value>(sourceLocation: SourceLocation = #_sourceLocation, of work: () async throws -> Value) async throws -> HubTlsError {
  do {
    let value = try await work()
    throw Broken("it did not fail, but gave \(value)")
  } catch let error as HubTlsError {
    #expect(!error.sentence.isEmpty && !error.hint.isEmpty, "\(error)", sourceLocation: sourceLocation)
    return error
  }
}

extension TLSStream {
  /// Exactly as many bytes.
  func read(exactly count: Int) async throws -> Data {
    var received = Data()
    while received.count < count {
      guard let more = try await read(upTo: count - received.count, timeout: patience) else { throw Broken("the server ended the conversation") }
      received.append(more)
    }
    return received
  }

  /// Sends these and reads as many.
  func echo(_ bytes: Data) async throws -> Data {
    try await write(bytes, timeout: patience)
    return try await read(exactly: bytes.count)
  }
}
