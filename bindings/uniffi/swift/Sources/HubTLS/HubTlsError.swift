import Foundation
import HubTlsFFI

/// What went wrong: `code` for programs, `sentence` and `hint` for people.
///
/// Everything that throws here throws this, and `CancellationError` where a task was cancelled.
public struct HubTlsError: Error, Equatable, Sendable {
  /// The stable upper-case name, the same in every language: `UNKNOWN_ROOT`.
  public let code: String
  /// The stable number: 1xx fix the call, 2xx fix the configuration, 3xx the peer is not to be trusted, 4xx the transport failed, try again, 9xx a fault of
  /// hubtls or of the machine.
  public let number: Int
  /// What is wrong.
  public let sentence: String
  /// What to do about it.
  public let hint: String
  /// The name of the TLS alert that was sent to the peer or received from it: `unknown_ca`.
  public let alert: String?
  /// That alert's number in IANA's registry.
  public let alertCode: Int?
  /// Whether the alert came from the peer.
  public let alertReceived: Bool

  /// Whether the same attempt may succeed later without any change.
  public var isTransient: Bool {
    errorCodes().first { $0.code == code }?.isTransient ?? false
  }
}

extension HubTlsError: LocalizedError, CustomStringConvertible {
  /// The sentence.
  public var errorDescription: String? { sentence }
  /// The hint.
  public var recoverySuggestion: String? { hint }
  /// Code, sentence and hint.
  public var description: String { "\(code): \(sentence) (\(hint))" }
}

/// Every error code, by ascending number.
public func errorCodes() -> [ErrorCode] {
  HubTlsFFI.errorCodes()
}

/// An error code: its name, its number, and whether the same attempt may succeed later without any change.
public typealias ErrorCode = HubTlsFFI.ErrorCodeRow

extension HubTlsError {
  init(_ code: String, _ sentence: String, hint: String) {
    self.code = code
    number = Int(HubTlsFFI.errorCodes().first { $0.code == code }?.number ?? 0)
    self.sentence = sentence
    self.hint = hint
    alert = nil
    alertCode = nil
    alertReceived = false
  }

  init(_ failure: HubTlsFFI.HubTlsError) {
    switch failure {
    case let .Failed(code, number, sentence, hint, alert, alertName, alertReceived):
      self.code = code
      self.number = Int(number)
      self.sentence = sentence
      self.hint = hint
      self.alert = alertName
      alertCode = alert.map(Int.init)
      self.alertReceived = alertReceived
    }
  }

  /// The transport said no.
  static func io(_ failure: Int32) -> HubTlsError {
    HubTlsError("IO", "the transport failed: \(reason(failure))", hint: "the network or the server failed; try again")
  }

  static let timeout = HubTlsError(
    "TIMEOUT", "the peer did not answer in time",
    hint: "check that the server is up and speaks TLS on this port; the network may be slow")

  static let closed = HubTlsError("IO", "the stream was closed by this program", hint: "make a new connection")

  static func invalid(_ sentence: String, hint: String) -> HubTlsError {
    HubTlsError("INVALID_ARGUMENT", sentence, hint: hint)
  }
}

/// The one funnel from the library's errors to ours; a panic there is `INTERNAL`.
func translated<Result>(_ call: () throws -> Result) throws -> Result {
  do {
    return try call()
  } catch let failure as HubTlsFFI.HubTlsError {
    throw HubTlsError(failure)
  } catch let error as HubTlsError {
    throw error
  } catch {
    throw HubTlsError("INTERNAL", "hubtls failed: \(error.localizedDescription)", hint: "report this as a bug of hubtls")
  }
}

/// What the system calls the failure of that number.
func reason(_ failure: Int32) -> String {
  String(cString: strerror(failure))
}
