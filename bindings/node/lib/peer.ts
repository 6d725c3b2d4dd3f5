/** The peer's certificates as Node.js shows them. */

import { X509Certificate } from 'node:crypto';
import type * as tls from 'node:tls';

import type { Negotiated } from './library.js';

function legacy(certificate: X509Certificate): tls.DetailedPeerCertificate {
  return certificate.toLegacyObject() as unknown as tls.DetailedPeerCertificate;
}

/** The server's certificate; if `detailed`, its `issuerCertificate` leads to the others, the root included. */
export function peerCertificate(negotiated: Negotiated | null, detailed: boolean): tls.DetailedPeerCertificate | Record<string, never> {
  const chain = (negotiated?.peerChain ?? []).map(({ der }) => new X509Certificate(der));
  const first = chain[0];
  if (first === undefined) return {};
  if (!detailed) return legacy(first);
  const root = negotiated?.root?.pem;
  if (root) chain.push(new X509Certificate(root));
  const result = legacy(first);
  for (let own = first, last = result; ; ) {
    if (own.checkIssued(own)) {
      last.issuerCertificate = last;
      return result;
    }
    const issuer = chain.find((other) => own.checkIssued(other));
    if (issuer === undefined) return result;
    last.issuerCertificate = legacy(issuer);
    last = last.issuerCertificate;
    chain.splice(chain.indexOf(issuer), 1);
    own = issuer;
  }
}
