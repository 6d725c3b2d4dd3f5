'use strict';
/** Throwaway certificates. */

require('reflect-metadata');
const { webcrypto } = require('node:crypto');
const x509 = require('@peculiar/x509');

x509.cryptoProvider.set(webcrypto);

const ALGORITHMS = {
  ecdsa: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
};
const DAY = 86_400_000;
let serial = 1;

async function pemOfKey(keys) {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return x509.PemConverter.encode(der, 'PRIVATE KEY');
}

/** A root, and the certificates that it issues. */
class Authority {
  /** @param {'ecdsa' | 'rsa'} kind */
  static async make(kind = 'ecdsa') {
    const self = new Authority();
    self.algorithm = ALGORITHMS[kind];
    self.keys = await webcrypto.subtle.generateKey(self.algorithm, true, ['sign', 'verify']);
    self.root = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: (serial++).toString(16).padStart(2, '0'),
      name: `CN=Test root ${serial}`,
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + 3650 * DAY),
      signingAlgorithm: self.algorithm,
      keys: self.keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 2, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(self.keys.publicKey),
      ],
    });
    /** The root as PEM. */
    self.ca = self.root.toString('pem');
    return self;
  }

  /** An authority whose own certificate this one issued. */
  async intermediate() {
    const made = await Authority.make();
    made.algorithm = this.algorithm;
    made.keys = await webcrypto.subtle.generateKey(this.algorithm, true, ['sign', 'verify']);
    made.root = await x509.X509CertificateGenerator.create({
      serialNumber: (serial++).toString(16).padStart(2, '0'),
      subject: `CN=Test intermediate ${serial}`,
      issuer: this.root.subject,
      notBefore: this.root.notBefore,
      notAfter: this.root.notAfter,
      signingAlgorithm: this.algorithm,
      signingKey: this.keys.privateKey,
      publicKey: made.keys.publicKey,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(made.keys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(this.keys.publicKey),
      ],
    });
    made.ca = made.root.toString('pem');
    return made;
  }

  /** A certificate for these DNS names or IP addresses, and its key, as PEM; if not `named`, the first is its common name alone. */
  async issue(names = ['localhost', '127.0.0.1'], { expired = false, kind, named = true } = {}) {
    const algorithm = kind === undefined ? this.algorithm : ALGORITHMS[kind];
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: (serial++).toString(16).padStart(2, '0'),
      subject: `CN=${names[0]}`,
      issuer: this.root.subject,
      notBefore: new Date(Date.now() - 30 * DAY),
      notAfter: new Date(Date.now() + (expired ? -DAY : 365 * DAY)),
      signingAlgorithm: this.algorithm,
      signingKey: this.keys.privateKey,
      publicKey: keys.publicKey,
      extensions: [
        new x509.BasicConstraintsExtension(false),
        ...(named ? [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: /^[\d.]+$/.test(value) ? 'ip' : 'dns', value })))] : []),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        await x509.AuthorityKeyIdentifierExtension.create(this.keys.publicKey),
      ],
    });
    return { cert: certificate.toString('pem'), key: await pemOfKey(keys) };
  }
}

module.exports = { Authority };
