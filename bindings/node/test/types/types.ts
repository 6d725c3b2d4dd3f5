/** The public interface as a program in TypeScript has it: compiled, never run. */

import { readFileSync } from 'node:fs';
import https from 'node:https';
import tls from 'node:tls';

import { MqttClient } from 'mqtt';
import { Agent as Dispatcher } from 'undici';

import {
  Agent,
  connect,
  connectAsync,
  createConfig,
  createSecureConnection,
  errorCodes,
  HubTlsError,
  Identity,
  identityFromFiles,
  identityFromSigner,
  mqttStream,
  nodeOptions,
  Policy,
  Roots,
  secureContext,
  tlsOptions,
  undiciConnector,
  version,
  type Config,
  type ConfigOptions,
  type ConnectOptions,
  type NativeOptions,
  type Negotiated,
  type Signer,
  type TLSSocket,
} from 'hubtls';
import { mqttTransport } from 'hubtls/azure';

const options: ConfigOptions = { cert: readFileSync('device.pem'), key: 'PEM', addCa: ['PEM', readFileSync('root.pem')] };
const config: Config = createConfig({ ...options, policy: Policy.named('iothub').onlyVersions(['TLSv1.3']), fragmentLength: '512:require' });
const warnings: string[] = config.warnings;
const where: ConnectOptions = { host: 'hub', port: 8883, config };

const socket: TLSSocket = connect(where, () => undefined);
socket.on('secureConnect', () => {
  const agreed: Negotiated | null = socket.negotiated;
  const protocol: string | null = socket.getProtocol();
  console.log(agreed?.root?.subject, protocol, socket.alpnProtocol, socket.authorized satisfies boolean);
});
socket.on('error', (error: Error) => {
  if (error instanceof HubTlsError) console.log(error.code, error.hint, error.alert, error.number.toFixed());
});
const later: Promise<TLSSocket> = connectAsync({ ...where, signal: AbortSignal.timeout(1000) });

const sign: Signer = async (scheme: string, message: Uint8Array) => Buffer.from(scheme + message.length);
const signer: Promise<Identity> = identityFromSigner('PEM', sign);
const identity: Identity = identityFromFiles('device.pem', 'device.key');

const agent: https.Agent = new Agent({ identity }, { keepAlive: true });
https.get({ host: 'hub', agent });
const dispatcher = new Dispatcher({ connect: undiciConnector({ identity }) });
const client = new MqttClient(mqttStream(where), { clientId: 'device-01' });
const create = createSecureConnection({ ca: Roots.azure() });

const native: NativeOptions = { servername: 'hub', addCa: 'PEM' };
tls.connect({ ...tlsOptions(native), host: 'hub', port: 8883 });
https.request({ ...tlsOptions('iothub'), host: 'hub' });
new https.Agent(tlsOptions());
const context: tls.SecureContext = secureContext(Policy.named());
const text: string = nodeOptions('iothub-aead') + version + errorCodes()[0]?.name;
const transport = mqttTransport({ identity });

// @ts-expect-error: there is no such option.
createConfig({ polic: 'iothub' });
// @ts-expect-error: verification cannot be switched off.
connect({ host: 'hub', rejectUnauthorized: false });
// @ts-expect-error: no such length.
createConfig({ fragmentLength: '700' });

export { agent, client, context, create, dispatcher, later, signer, text, transport, warnings };
