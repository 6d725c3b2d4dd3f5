import Foundation
import HubTlsFFI

/// A client's certificate chain and its key, or a signer with a key held elsewhere. Immutable; shows no key.
public struct Identity: Sendable {
  let inner: HubTlsFFI.Identity

  init(_ inner: HubTlsFFI.Identity) {
    self.inner = inner
  }

  /// From PEM: the chain's certificates, the client's own first, and the key as PKCS#8, PKCS#1 or SEC1, encrypted or not.
  public init(pem chain: Data, key: Data, passphrase: String? = nil) throws {
    inner = try translated { try HubTlsFFI.Identity.fromPem(chain: chain, key: key, passphrase: passphrase) }
  }

  /// From DER: certificates, the client's own first, and the key.
  public init(der chain: [Data], key: Data, passphrase: String? = nil) throws {
    inner = try translated { try HubTlsFFI.Identity.fromDer(chain: chain, key: key, passphrase: passphrase) }
  }

  /// From the content of a PKCS#12 file (`.pfx`, `.p12`) with one private key.
  public init(pkcs12 content: Data, passphrase: String? = nil) throws {
    inner = try translated { try HubTlsFFI.Identity.fromPkcs12(content: content, passphrase: passphrase) }
  }

  /// From two files in PEM, or twice the same with both.
  public init(chainFile: String, keyFile: String, passphrase: String? = nil) throws {
    inner = try translated { try HubTlsFFI.Identity.fromFiles(chain: chainFile, key: keyFile, passphrase: passphrase) }
  }

  /// From a PKCS#12 file.
  public init(pkcs12File path: String, passphrase: String? = nil) throws {
    inner = try translated { try HubTlsFFI.Identity.fromPkcs12File(path: path, passphrase: passphrase) }
  }

  /// From a chain in PEM, or one certificate in DER, and a signer with the key of its first certificate.
  ///
  /// Signs once at once, in this thread, to see that it works: `SIGNER_FAILED` if not. Takes as long as the signer does.
  public init(chain: Data, signer: some Signer) throws {
    inner = try translated { try HubTlsFFI.Identity.fromSigner(chain: chain, signer: Asked(signer)) }
  }

  /// From a chain in DER, the client's own first, and a signer with the key of that.
  public init(derChain: [Data], signer: some Signer) throws {
    inner = try translated { try HubTlsFFI.Identity.fromSignerDer(chain: derChain, signer: Asked(signer)) }
  }

  /// The chain, the client's own certificate first.
  public var chain: [Certificate] { inner.chain() }
  /// The common name of the client's certificate, or its whole subject if that has none.
  public var subject: String { inner.subject() }
  /// The kind of key: `RSA-2048` and the like, `P-256`, `P-384` or `Ed25519`.
  public var keyAlgorithm: String { inner.keyAlgorithm() }
}
