/** The policy for Node.js's own TLS, on OpenSSL. */

import { X509Certificate, createHash, type KeyObject } from 'node:crypto';
import * as tls from 'node:tls';

import { Config, errorCodes, Policy, type Root, type Roots } from './library.js';
import { createConfig, plain, policyOf, type ConfigOptions } from './config.js';
import { HubTlsError } from './errors.js';

/** Options for Node.js's own TLS: those of a configuration, and the name, if it is the same for all connections. */
export interface NativeOptions extends ConfigOptions {
  /** The name to verify and to send. */
  servername?: string;
}

/** Values of options that Node.js cannot express, and why: asking for one is `UNSUPPORTED_BY_ENGINE`. */
const IMPOSSIBLE: { [name in keyof ConfigOptions]?: [wanted: (value: any) => boolean, why: string] } = {
  identity: [() => true, 'an Identity: it shows no key'],
  pfx: [() => true, 'pfx without trusting the certificates in it as roots'],
  crl: [() => true, 'crl without demanding a list of every issuer'],
  requireRevocationStatus: [Boolean, 'requireRevocationStatus'],
  keyLog: [() => true, "keyLog: listen to the socket's 'keylog'"],
  time: [() => true, 'time'],
  sni: [(value) => value !== true, 'sni'],
  resumption: [(value) => !value, 'resumption: false, an https.Agent resumes sessions'],
  postQuantum: [(value) => Boolean(value) && !hasPostQuantum(), 'postQuantum: its OpenSSL is older than 3.5'],
  fragmentLength: [(value) => String(value).endsWith(':require'), 'to require a fragment length'],
};

function hasPostQuantum(): boolean {
  const [major = 0, minor = 0] = process.versions.openssl.split('.').map(Number);
  return major > 3 || (major === 3 && minor >= 5);
}

function problem(code: string, message: string, hint: string): HubTlsError {
  return new HubTlsError(code, errorCodes().find(({ name }) => name === code)!.number, message, hint);
}

function unsupported(what: string): HubTlsError {
  return problem('UNSUPPORTED_BY_ENGINE', `Node.js cannot be told ${what}`, 'leave it out, or use hubtls.connect');
}

/**
 * Options for `tls.connect`, `https.request`, mqtt.js and whatever else passes them to Node.js's own TLS.
 *
 * All of them are needed: without `checkServerIdentity` an added private root would vouch for Azure's names, too, and `ciphers` alone would leave the
 * versions open. What Node.js cannot express is `UNSUPPORTED_BY_ENGINE`: an `Identity`, `pfx`, revocation lists, another time or SNI, a key log,
 * `resumption: false`, a fragment length that is required, roots of which only name and key are known. A fragment length that is merely requested is
 * left out.
 */
export function tlsOptions(options: Policy | string | NativeOptions = {}): tls.ConnectionOptions {
  const { servername, ...rest } = named(options);
  const config = possible(rest);
  const { versions, opensslGroups, opensslSignatureAlgorithms, ...policy } = read(config.policy);
  return {
    minVersion: versions[versions.length - 1],
    maxVersion: versions[0],
    ciphers: policy.suites,
    sigalgs: opensslSignatureAlgorithms,
    ecdhCurve: rest.postQuantum ? `X25519MLKEM768:${opensslGroups}` : opensslGroups,
    ca: trusted(config, servername),
    rejectUnauthorized: true,
    sessionIdContext: sessionsOf(config),
    ...(config.roots.all.every(isSelfIssued) ? {} : { allowPartialTrustChain: true }),
    ...(rest.cert ? { cert: bytes(rest.cert), key: bytes(rest.key!) } : {}),
    ...(rest.cert && rest.passphrase ? { passphrase: rest.passphrase } : {}),
    ...(rest.ALPNProtocols ? { ALPNProtocols: protocols(rest.ALPNProtocols) } : {}),
    ...(servername ? { servername } : {}),
    checkServerIdentity: (host, certificate) => misplaced(config, host, certificate),
  };
}

function named(options: Policy | string | NativeOptions): NativeOptions {
  return options instanceof Policy || typeof options === 'string' ? { policy: options } : plain(options);
}

function possible(options: ConfigOptions): Config {
  for (const [name, [wanted, why]] of Object.entries(IMPOSSIBLE)) {
    const value = options[name as keyof ConfigOptions];
    if (value !== undefined && value !== null && wanted(value)) throw unsupported(why);
  }
  const config = createConfig(options);
  if (config.policy.fragmentLength.endsWith(':require')) throw unsupported('to require a fragment length');
  return config;
}

/** Node.js before 24 would take RSA keys of 1024 bits and SHA-1. Electron's BoringSSL, which has no levels and the version 0.0.0, takes neither. */
const STRENGTH = process.versions.openssl.startsWith('0.') ? '' : '@SECLEVEL=2';

function read(policy: Policy) {
  const { opensslCiphersuites, opensslCipherList, opensslGroups, opensslSignatureAlgorithms } = policy;
  return {
    versions: policy.versions as tls.SecureVersion[],
    // The level goes with the suites of TLS 1.2 only: OpenSSL takes it in no other list.
    suites: [opensslCiphersuites, opensslCipherList, opensslCipherList && STRENGTH].filter(Boolean).join(':'),
    opensslGroups,
    opensslSignatureAlgorithms,
  };
}

function bytes(text: string | Uint8Array): string | Buffer {
  return typeof text === 'string' ? text : Buffer.from(text);
}

/** As names, or, since Node.js takes no array of bytes, as they are sent. */
function protocols(all: (string | Uint8Array)[]): string[] | Buffer {
  if (all.every((one) => typeof one === 'string')) return all as string[];
  return Buffer.concat(
    all.flatMap((one) => {
      const sent = Buffer.from(one as Uint8Array);
      return [Buffer.from([sent.length]), sent];
    }),
  );
}

/** Those that a pin names, if there are pins, and that are believed about the name, if it is known. */
function trusted(config: Config, servername: string | undefined): string[] {
  const found: string[] = [];
  for (const { pem, pin } of (servername ? config.roots.believedAbout(servername) : config.roots).all) {
    if (config.pins.length > 0 && !config.pins.includes(pin)) continue;
    if (pem === null) throw unsupported('a root of which only name and key are known, as those of Roots.publicWeb()');
    found.push(pem);
  }
  if (found.length > 0) return found;
  throw problem('NO_ROOTS', `no root is left${servername ? ` for ${servername}` : ''}`, 'private roots need .vouchingForAzure() for names of Azure');
}

/** What is wrong with the name, or, since an added private root must not vouch for Azure's names, with the root. */
function misplaced(config: Config, host: string, certificate: tls.PeerCertificate): Error | undefined {
  if (!certificate.subjectaltname) {
    return problem('HOST_NAME_MISMATCH', `the certificate is not for ${host}: it has no subjectAltName`, 'issue it with one: a common name does not count');
  }
  const wrong = tls.checkServerIdentity(host, certificate);
  if (wrong !== undefined) return wrong;
  try {
    const believed = config.roots.believedAbout(host);
    if (believed.length === config.roots.length || reaches(believed, certificate as tls.DetailedPeerCertificate)) return undefined;
  } catch (error) {
    return error as Error;
  }
  return problem('ROOT_NOT_FOR_AZURE', `a private root vouched for ${host}`, 'if it should, let it: Roots.from(...).vouchingForAzure()');
}

/**
 * Whether the chain leads to one of these roots. Node.js strings certificates together by their names alone, and the server chooses most of them: each
 * signature is verified.
 */
function reaches(roots: Roots, certificate: tls.DetailedPeerCertificate): boolean {
  const pins = new Set(roots.all.map(({ pin }) => pin));
  let last = certificate;
  let subject = new X509Certificate(last.raw);
  while (last.issuerCertificate && last.issuerCertificate !== last) {
    last = last.issuerCertificate;
    const issuer = new X509Certificate(last.raw);
    if (!issuer.ca || !subject.checkIssued(issuer) || !subject.verify(issuer.publicKey)) return false;
    if (pins.has(pinOf(issuer.publicKey))) return true;
    subject = issuer;
  }
  return false;
}

function pinOf(key: KeyObject): string {
  return `sha256/${createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest('base64')}`;
}

/**
 * An https.Agent shares sessions and connections of requests with the same options, but does not see `checkServerIdentity`, which Node.js before 22
 * calls for new sessions only: what that decides is told here.
 */
function sessionsOf(config: Config): string {
  const believed = config.roots.all.map(({ pin, vouchesForAzure }) => `${pin} ${vouchesForAzure}`);
  return createHash('sha256').update(['hubtls', ...believed, ...config.pins].join('\n')).digest('hex').slice(0, 32);
}

function isSelfIssued({ pem }: Root): boolean {
  const root = new X509Certificate(pem!);
  if (root.issuer === root.subject) return true;
  if (PARTIAL_CHAINS) return false;
  throw unsupported('to trust a root that another one issued: Node.js before 20.18 needs all up to the topmost');
}

const [MAJOR = 0, MINOR = 0] = process.versions.node.split('.').map(Number);
/** Whether Node.js has `allowPartialTrustChain`. */
const PARTIAL_CHAINS = MAJOR > 22 || (MAJOR === 22 && MINOR >= 9) || (MAJOR === 20 && MINOR >= 18);

/** A name of Azure's, like any other. */
const OF_AZURE = 'hub.azure-devices.net';

/**
 * A `tls.SecureContext` of these options, for `secureContext` of `tls.connect`.
 *
 * A context checks no name. So roots that are not believed about Azure's names need a `servername` (`UNSUPPORTED_BY_ENGINE` without), and the
 * connection's own options must not switch verification off.
 */
export function secureContext(options: Policy | string | NativeOptions = {}): tls.SecureContext {
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    throw unsupported('in a context to verify while NODE_TLS_REJECT_UNAUTHORIZED is 0');
  }
  const { servername, ...rest } = named(options);
  const { checkServerIdentity: _, rejectUnauthorized: __, ...context } = tlsOptions({ ...rest, servername });
  const { roots } = createConfig(rest);
  if (!servername && roots.believedAbout(OF_AZURE).length < roots.length) {
    throw unsupported('in a context which names a private root may vouch for; a servername tells it');
  }
  return tls.createSecureContext(context);
}

/** For the environment variable `NODE_OPTIONS`: versions and suites of all of a process's connections, but neither roots nor curves. */
export function nodeOptions(policy: Policy | string = 'iothub'): string {
  const { versions, suites } = read(policyOf(policy));
  const [newest, oldest] = [versions[0]!, versions[versions.length - 1]!].map((version) => version.replace('TLSv', 'v'));
  return `--tls-min-${oldest} --tls-max-${newest} --tls-cipher-list=${suites}`;
}
