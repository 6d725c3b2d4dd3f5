/**
 * TLS as Azure IoT Hub demands it.
 *
 * `connect` is hubtls's own TLS; `tlsOptions` is the same policy for Node.js's own. A policy can be narrowed, never widened, and nothing switches
 * verification off. Errors have a `code` that is the same in every language and a `hint`.
 */

export { HubTlsError } from './errors.js';
export { createConfig, identityFromFiles, type ConfigOptions, type Text } from './config.js';
export { identityFromSigner, type Signer } from './signer.js';
export type { ConnectOptions } from './options.js';
export { connect, connectAsync, TLSSocket } from './socket.js';
export { Agent, createSecureConnection, mqttStream, undiciConnector, type UndiciConnect } from './clients.js';
export { nodeOptions, secureContext, tlsOptions, type NativeOptions } from './native-options.js';

import { version as libraryVersion } from './library.js';

export { Certificate, Config, Connection, errorCodes, Identity, Negotiated, Policy, Readiness, Root, Roots } from './library.js';
export type { Alias, NamedCode } from './library.js';

/** The version of this library. */
export const version: string = libraryVersion();
