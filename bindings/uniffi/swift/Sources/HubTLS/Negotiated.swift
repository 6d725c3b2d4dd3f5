import Foundation
import HubTlsFFI

/// What client and server agreed on, and who the server is.
public typealias Negotiated = HubTlsFFI.Negotiated

/// An X.509 certificate and what people want to know of it. Times are in seconds since 1970.
public typealias Certificate = HubTlsFFI.Certificate

extension Certificate {
  /// Reads exactly one certificate in DER: `INVALID_CERTIFICATE` says why it cannot be read.
  public static func read(der: Data) throws -> Certificate {
    try translated { try certificateFromDer(der: der) }
  }

  /// When it expires.
  public var expiry: Date? {
    notAfter.map { Date(timeIntervalSince1970: TimeInterval($0)) }
  }
}

/// The version of hubtls.
public func version() -> String {
  HubTlsFFI.version()
}
