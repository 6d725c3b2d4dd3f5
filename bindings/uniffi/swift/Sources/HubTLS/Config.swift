import Foundation
import HubTlsFFI

/// A checked, immutable configuration, shared by any number of connections and tasks, which resume sessions of each other.
public struct Config: Sendable {
  let inner: HubTlsFFI.Config

  init(_ inner: HubTlsFFI.Config) {
    self.inner = inner
  }

  /// The policy `iothub` with its roots and no client certificate.
  public static let iothub: Config = {
    do {
      return try Config()
    } catch {
      preconditionFailure("the policy iothub is always valid: \(error)")
    }
  }()

  /// Checks the options; `code` of the error says what is wrong. What is left out is as the policy `iothub` has it.
  ///
  /// - Parameters:
  ///   - policy: What may be offered and accepted; `iothub` if left out.
  ///   - roots: Trusted instead of the policy's roots.
  ///   - addRoots: Trusted as well, but not for Azure's own names.
  ///   - pins: Accept only chains that end in one of these roots: SHA-256 of its public key, or its certificate in PEM.
  ///   - identity: The client's certificate chain and key.
  ///   - refuseInvalidIdentity: An expired client certificate is an error, not a warning.
  ///   - revocationLists: Revocation lists, each PEM or DER.
  ///   - requireRevocationStatus: Refuse a server whose status no current list tells.
  ///   - alpn: Protocols to offer with ALPN, most wanted first.
  ///   - sni: Which name the ClientHello carries: `.fromName`, `.off` or `.named(name:)`.
  ///   - resumption: Whether sessions are resumed.
  ///   - keyLog: The path of a file that the connections' secrets are written to, for debugging. Whoever has it can read the traffic.
  ///   - time: The time for verification, instead of the machine's clock.
  ///   - postQuantum: Offer X25519MLKEM768 first.
  ///   - fragmentLength: The maximum fragment length to negotiate; as the policy says if left out.
  public init(
    policy: Policy? = nil,
    roots: Roots? = nil,
    addRoots: Roots? = nil,
    pins: [String]? = nil,
    identity: Identity? = nil,
    refuseInvalidIdentity: Bool = false,
    revocationLists: [Data] = [],
    requireRevocationStatus: Bool = false,
    alpn: [String] = [],
    sni: Sni = .fromName,
    resumption: Bool = true,
    keyLog: String? = nil,
    time: Date? = nil,
    postQuantum: Bool = false,
    fragmentLength: FragmentLength? = nil
  ) throws {
    let options = ConfigOptions(
      policy: policy?.inner,
      roots: roots?.inner,
      addRoots: addRoots?.inner,
      pins: pins,
      identity: identity?.inner,
      refuseInvalidIdentity: refuseInvalidIdentity,
      revocationLists: revocationLists,
      requireRevocationStatus: requireRevocationStatus,
      alpn: alpn,
      sni: sni,
      resumption: resumption,
      keyLog: keyLog,
      time: try time.map(seconds),
      postQuantum: postQuantum,
      fragmentLength: fragmentLength
    )
    inner = try translated { try HubTlsFFI.Config(options: options) }
  }

  /// The same with these roots instead, and with no session to resume: `NO_ROOTS`.
  public func withRoots(_ roots: Roots) throws -> Config {
    Config(try translated { try inner.withRoots(roots: roots.inner) })
  }

  /// The policy, narrowed as it was.
  public var policy: Policy { Policy(inner.policy()) }
  /// The trusted roots.
  public var roots: Roots { Roots(inner.roots()) }
  /// The client's certificate chain and key.
  public var identity: Identity? { inner.identity().map(Identity.init) }
  /// The pins; empty if any trusted root will do.
  public var pins: [String] { inner.pins() }
  /// What is allowed but unwise or about to break, a sentence each.
  public var warnings: [String] { inner.warnings() }
}

/// Which name the ClientHello carries.
public typealias Sni = HubTlsFFI.Sni

private func seconds(_ time: Date) throws -> Int64 {
  guard let whole = Int64(exactly: time.timeIntervalSince1970.rounded(.down)) else {
    throw HubTlsError.invalid("\(time.timeIntervalSince1970) is no time in seconds since 1970", hint: "give the time of a certificate's life")
  }
  return whole
}
