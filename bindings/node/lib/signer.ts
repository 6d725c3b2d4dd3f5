/** Identities whose key is held elsewhere: a TPM, an HSM, a service on the network. */

import { Identity, type SignRequest } from './library.js';
import { types } from 'node:util';

import { invalid } from './errors.js';
import type { Text } from './config.js';

/**
 * Signs `message`, which is not hashed yet, with `scheme` (`ecdsa_secp256r1_sha256` and the like); ECDSA signatures are ASN.1 DER.
 *
 * May return the signature or a promise of it. Handshakes wait in threads of their own, so nothing else waits.
 */
export type Signer = (scheme: string, message: Buffer) => Uint8Array | Promise<Uint8Array>;

/**
 * An identity of a chain in PEM and a function that signs with the key of its first certificate.
 *
 * Lets it sign once, to see that it works: rejects with `SIGNER_FAILED` if not.
 */
export function identityFromSigner(chain: Text, sign: Signer, schemes?: string[]): Promise<Identity> {
  if (typeof sign !== 'function') {
    return Promise.reject(invalid('the signer is no function', 'give a function of the scheme and the message'));
  }
  return new Promise((resolve) => {
    resolve(Identity.asking(chain, (request) => void answer(sign, request), schemes));
  });
}

async function answer(sign: Signer, request: SignRequest): Promise<void> {
  try {
    const signature = await sign(request.scheme, request.message);
    if (!types.isUint8Array(signature)) throw new TypeError('it returned no bytes');
    request.resolve(signature);
  } catch (error) {
    request.reject(textOf(error));
  }
}

/** What an error says, whatever was thrown. */
function textOf(error: unknown): string {
  try {
    return `${error instanceof Error ? error.message : error}`;
  } catch {
    return 'it threw something that is no text';
  }
}
