/** Options, read from an object into a `Config`. */

import { readFileSync } from 'node:fs';
import { types } from 'node:util';

import { Config, ConfigBuilder, Identity, Policy, Roots } from './library.js';
import { invalid } from './errors.js';

/** PEM as a string, PEM or DER as bytes. */
export type Text = string | Uint8Array;

/** What a `Config` is made from. What is left out is as the policy `iothub` has it. */
export interface ConfigOptions {
  /** A policy or its name; `iothub` if left out. */
  policy?: Policy | string;
  /** Trusted instead of the policy's roots. */
  ca?: Roots | Text | Text[];
  /** Trusted as well, but not for Azure's own names. */
  addCa?: Roots | Text | Text[];
  /** Accept only chains that end in one of these roots: SHA-256 of its public key, or its certificate. */
  pins?: Text | Text[];
  /** The client's certificate chain, its own first, as PEM. */
  cert?: Text;
  /** Its key, as PEM. */
  key?: Text;
  /** Chain and key in a PKCS#12 file. */
  pfx?: Uint8Array;
  /** The passphrase of `key` or `pfx`. */
  passphrase?: string;
  /** Chain and key together, or a signer: instead of `cert`, `key` and `pfx`. */
  identity?: Identity;
  /** An expired client certificate is an error, not a warning. */
  refuseInvalidIdentity?: boolean;
  /** Revocation lists, as PEM or DER. */
  crl?: Text | Text[];
  /** Refuse a server whose status no current list tells. */
  requireRevocationStatus?: boolean;
  /** Protocols to offer, most wanted first. */
  ALPNProtocols?: (string | Uint8Array)[];
  /** `false` to send no name, or another name than the one that is verified. */
  sni?: boolean | string;
  /** Whether sessions are resumed; they are. */
  resumption?: boolean;
  /** A file that the connections' secrets are written to, for debugging. */
  keyLog?: string;
  /** Seconds since 1970, instead of the machine's clock. */
  time?: number;
  /** Offer X25519MLKEM768 first. */
  postQuantum?: boolean;
  /** Ask for records of that many bytes; `512:require` to insist. */
  fragmentLength?: 'off' | '512' | '1024' | '2048' | '4096' | `${512 | 1024 | 2048 | 4096}:require` | number;
}

type Reader = (builder: ConfigBuilder, value: any, options: ConfigOptions) => void;

const READERS: Record<keyof ConfigOptions, Reader> = {
  policy: (builder, value) => builder.policy(policyOf(value)),
  ca: (builder, value) => builder.roots(rootsOf(value, 'ca')),
  addCa: (builder, value) => builder.addRoots(rootsOf(value, 'addCa')),
  pins: (builder, value) => {
    const pins = listOf(value);
    // To pin nothing is to trust every root.
    if (pins.length === 0) throw invalid('pins is empty', 'give at least one pin, or leave it out');
    pins.forEach((pin) => builder.pin(textOf(pin, 'pins')));
  },
  cert: (builder, value, options) => {
    if (options.key === undefined) throw invalid('there is a cert without a key', 'give key too, or an identity that signs');
    builder.identity(Identity.fromPem(textOf(value, 'cert'), textOf(options.key, 'key'), secretOf(options.passphrase)));
  },
  key: (_builder, _value, options) => {
    if (options.cert === undefined) throw invalid('there is a key without a cert', 'give cert too');
  },
  pfx: (builder, value, options) => {
    if (options.cert !== undefined) throw invalid('there are cert and pfx', 'give one of them');
    if (!types.isUint8Array(value)) throw invalid('pfx is no bytes', 'give the content of the file, as a Buffer');
    builder.identity(Identity.fromPkcs12(value, secretOf(options.passphrase)));
  },
  passphrase: (_builder, value) => void secretOf(value),
  identity: (builder, value, options) => {
    if (options.cert !== undefined || options.pfx !== undefined) {
      throw invalid('there are an identity and a cert or pfx', 'give one of them');
    }
    if (!(value instanceof Identity)) throw invalid('identity is no Identity', 'make it with Identity.fromPem and the like');
    builder.identity(value);
  },
  refuseInvalidIdentity: (builder, value) => builder.refuseInvalidIdentity(typed(value, 'refuseInvalidIdentity', 'boolean')),
  crl: (builder, value) => listOf(value).forEach((list) => builder.revocationLists(textOf(list, 'crl'))),
  requireRevocationStatus: (builder, value) => builder.requireRevocationStatus(typed(value, 'requireRevocationStatus', 'boolean')),
  ALPNProtocols: (builder, value) => {
    if (!Array.isArray(value)) throw invalid('ALPNProtocols is no array', "give one, as in ALPNProtocols: ['x-amzn-mqtt-ca']");
    builder.alpn(value.map((protocol) => textOf(protocol, 'ALPNProtocols')));
  },
  sni: (builder, value) => builder.sni(typed(value, 'sni', 'boolean', 'string')),
  resumption: (builder, value) => builder.resumption(typed(value, 'resumption', 'boolean')),
  keyLog: (builder, value) => builder.keyLog(typed(value, 'keyLog', 'string')),
  time: (builder, value) => builder.time(typed(value, 'time', 'number')),
  postQuantum: (builder, value) => builder.postQuantum(typed(value, 'postQuantum', 'boolean')),
  fragmentLength: (builder, value) => builder.fragmentLength(String(typed(value, 'fragmentLength', 'string', 'number'))),
};

/** The names of all options. */
export const OPTION_NAMES = Object.keys(READERS) as (keyof ConfigOptions)[];

/** The value, whose type is one of these. */
function typed(value: any, name: string, ...wanted: string[]): any {
  if (wanted.includes(typeof value)) return value;
  throw invalid(`${name} is no ${wanted.join(' and no ')}`, `leave it out, or give a ${wanted.join(' or a ')}`);
}

/** A passphrase, which no error may show. */
function secretOf(value: unknown): string | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw invalid('passphrase is no string', 'give it as a string');
}

/** Options, which must be an object of their own: of a `Policy` or a `Config`, which has other properties, nothing would be read. */
export function plain<Options extends object>(options: Options): Options {
  const prototype = options !== null && typeof options === 'object' ? Object.getPrototypeOf(options) : undefined;
  // Those of another realm have a prototype of their own, which has none.
  if (prototype === null || (prototype !== undefined && Object.getPrototypeOf(prototype) === null)) return options;
  const what = options instanceof Policy ? 'a Policy' : options instanceof Config ? 'a Config' : 'no plain object';
  throw invalid(`the options are ${what}`, 'give an object of options, such as { policy } or { config }');
}

/** For an option of an unknown name. */
export function noOption(name: string, known: Iterable<string>): Error {
  const message = `there is no option '${name}'`;
  // It signs once before there is an identity, for which nothing can wait here.
  if (name === 'signer') return invalid(message, 'give identity: await identityFromSigner(cert, signer), or use connectAsync');
  return invalid(message, `the options are ${[...known].join(', ')}`);
}

/** A policy, or the one of that name. */
export function policyOf(value: Policy | string): Policy {
  if (value instanceof Policy) return value;
  if (typeof value === 'string') return Policy.named(value);
  throw invalid('policy is neither a Policy of this copy of hubtls nor a name', "give one, as in policy: 'iothub-ecc'");
}

/** Roots, or those in PEM or DER. */
export function rootsOf(value: Roots | Text | Text[], name: string): Roots {
  if (value instanceof Roots) return value;
  const all = listOf(value).map((one) => Roots.from(textOf(one, name)));
  if (all.length === 0) throw invalid(`${name} is empty`, 'give at least one root, or leave it out');
  return all.reduce((roots, more) => roots.withAdded(more));
}

function listOf<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

function textOf(value: unknown, name: string): Text {
  if (typeof value === 'string' || types.isUint8Array(value)) return value;
  throw invalid(`${name} is neither a string nor bytes`, `give ${name} as PEM, or as a Buffer`);
}

/**
 * Checks the options and makes a configuration that any number of connections share, and resume sessions of each other.
 *
 * Throws a `HubTlsError` whose `code` says what is wrong; an option of an unknown name is `INVALID_ARGUMENT`.
 */
export function createConfig(options: ConfigOptions = {}): Config {
  const given = Object.entries(plain(options));
  for (const [name] of given) if (!Object.hasOwn(READERS, name)) throw noOption(name, OPTION_NAMES);
  const builder = new ConfigBuilder();
  for (const [name, value] of given) {
    if (value !== undefined && value !== null) READERS[name as keyof ConfigOptions](builder, value, options);
  }
  return builder.build();
}

/** The client's certificate and key from two files, or from one with both. */
export function identityFromFiles(cert: string, key: string = cert, passphrase?: string): Identity {
  return Identity.fromPem(readFileSync(cert), readFileSync(key), secretOf(passphrase));
}
