import Foundation
import HubTlsFFI

/// The roots that are trusted. Immutable.
public struct Roots: Sendable {
  let inner: HubTlsFFI.Roots

  init(_ inner: HubTlsFFI.Roots) {
    self.inner = inner
  }

  /// The two roots of Azure IoT Hub: DigiCert Global Root G2 and Microsoft RSA Root Certificate Authority 2017.
  public static var azure: Roots { Roots(HubTlsFFI.Roots.azure()) }
  /// Every root that hubtls ships, the two ECC roots included that no policy trusts yet.
  public static var embedded: Roots { Roots(HubTlsFFI.Roots.embedded()) }
  /// The roots of the public web, as Mozilla trusts them.
  public static var publicWeb: Roots { Roots(HubTlsFFI.Roots.publicWeb()) }

  /// The roots of a policy.
  public init(of policy: Policy) {
    inner = HubTlsFFI.Roots.ofPolicy(policy: policy.inner)
  }

  /// Private roots from PEM: `NO_CERTIFICATE`, `INVALID_CERTIFICATE`, `NOT_A_CERTIFICATE_AUTHORITY`.
  public init(pem: String) throws {
    inner = try translated { try HubTlsFFI.Roots.fromPem(text: pem) }
  }

  /// Private roots from DER, one certificate each.
  public init(der certificates: [Data]) throws {
    inner = try translated { try HubTlsFFI.Roots.fromDer(certificates: certificates) }
  }

  /// Private roots from a file in PEM, or with one certificate in DER.
  public init(file path: String) throws {
    inner = try translated { try HubTlsFFI.Roots.fromFile(path: path) }
  }

  /// These and the others.
  public func withAdded(_ others: Roots) -> Roots {
    Roots(inner.withAdded(added: others.inner))
  }

  /// The same roots, which may (or may not) vouch for names of Azure's when they are added to others.
  public func vouchingForAzure(_ vouching: Bool = true) -> Roots {
    Roots(inner.vouchingForAzure(vouching: vouching))
  }

  /// Those of them that are believed about a server of that name.
  public func believed(about name: String) -> Roots {
    Roots(inner.believedAbout(name: name))
  }

  /// The certificates as PEM.
  public var pem: String { inner.pem() }
  /// Each of them.
  public var all: [Root] { inner.all() }
  /// How many there are.
  public var count: Int { Int(inner.count()) }

  /// Whether enough of them stay valid for so many days from now.
  public func readiness(withinDays days: Int = 0) throws -> Readiness {
    try translated { try inner.readiness(withinDays: Int32(clamping: days)) }
  }
}

/// A trusted root.
public typealias Root = HubTlsFFI.Root

/// How ready a set of roots is for the loss of one.
public typealias Readiness = HubTlsFFI.Readiness

/// The pin of a root's certificate in PEM or DER: SHA-256 of its public key, for `pins`. `PIN_NOT_ROOT` if it is not a self-issued authority's.
public func pin(ofCertificate certificate: Data) throws -> String {
  try translated { try pinOfCertificate(certificate: certificate) }
}
