import Foundation
import HubTlsFFI

/// Signs with a private key that is held elsewhere: in a key store, a secure element, a TPM.
///
/// `TLSStream` asks it in threads outside Swift's pool, perhaps in several at once, so it may block; `Identity.init(chain:signer:)`, which tries it, and
/// `Connection.receive` ask it in the caller's. It must leave the connection alone that it signs for.
public protocol Signer: Sendable {
  /// The signature of `content` (not hashed yet) by `scheme`, as in `ecdsa_secp256r1_sha256`; an ECDSA signature as ASN.1 DER.
  ///
  /// Whatever it throws ends the handshake as `SIGNER_FAILED`; its description becomes part of that, so it must hold no secret.
  func sign(_ content: Data, scheme: String) throws -> Data

  /// The schemes that it can sign with, preferred first; nil for all that the certificate's key allows. Asked once, when the identity is made.
  var schemes: [String]? { get throws }
}

extension Signer {
  /// All that the certificate's key allows.
  public var schemes: [String]? { nil }
}

/// A signer as the library asks it.
final class Asked: HubTlsFFI.Signer {
  private let signer: any Signer

  init(_ signer: any Signer) {
    self.signer = signer
  }

  func sign(scheme: String, content: Data) throws -> Data {
    try told { try signer.sign(content, scheme: scheme) }
  }

  func schemes() throws -> [String]? {
    try told { try signer.schemes }
  }

  private func told<Result>(_ call: () throws -> Result) throws -> Result {
    do {
      return try call()
    } catch {
      let words = (error as? LocalizedError)?.errorDescription ?? String(describing: error)
      throw SignerError.Failed(reason: words)
    }
  }
}
