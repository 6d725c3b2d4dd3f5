/**
 * hubtls beneath azure-iot-device-mqtt, Microsoft's SDK for devices:
 * `Client.fromConnectionString(text, mqttTransport())`.
 */

import { createRequire } from 'node:module';
import * as net from 'node:net';
import * as tls from 'node:tls';

import { Agent, mqttStream, prepared, refuseTls, tellErrors } from './clients.js';
import { plain, rootsOf, type ConfigOptions } from './config.js';
import { HubTlsError, invalid } from './errors.js';
import { tlsOptions } from './native-options.js';
import type { ConnectOptions } from './options.js';

/** Whichever way the SDK connects. */
export interface SdkOptions {
  /** MQTT over WebSockets, at port 443. */
  webSockets?: boolean;
}

/** Options of `mqttTransport`: those of `connect`, but for where to, which the SDK says. */
export interface TransportOptions extends Omit<ConnectOptions, 'host' | 'port' | 'socket' | 'signal'>, SdkOptions {}

/** Options of `nativeMqttTransport`: those of `tlsOptions`. */
export interface NativeTransportOptions extends ConfigOptions, SdkOptions {
  /** The name to verify and to send, if not that of the hub or gateway. */
  servername?: string;
}

/** A class for the SDK, to be given as `transportCtor`. */
export type Transport = new (authenticationProvider: any) => any;

/** What a client of the SDK was given with `setOptions`, or its authentication provider with `x509`. */
interface Given {
  ca?: string;
  cert?: string;
  key?: string;
  passphrase?: string;
}

/** Makes an mqtt.js client. */
type Open = (uri: string, options: Record<string, any>) => any;

/**
 * The SDK's MQTT transport on hubtls's own TLS.
 *
 * What `client.setOptions` is given holds for that client alone: its `cert`, `key` and `passphrase` are shown instead of the identity in
 * `options`, so that many devices can share one transport; its `ca` is trusted as well, but not for Azure's own names. An X.509 client that is
 * given no certificate shows the identity in `options`, whose key may be held elsewhere.
 *
 * Errors of the SDK have the `code` of what went wrong, and it itself as `cause`.
 *
 * Throws at once if the options are wrong, `UNSUPPORTED_BY_ENGINE` if the SDK is not made as expected, and an `Error` with the code
 * `MODULE_NOT_FOUND` if it is not installed. Files are uploaded over HTTPS, which takes
 * `client.setOptions({ http: { agent: new hubtls.Agent({...}) } })`.
 */
export function mqttTransport(options: TransportOptions = {}): Transport {
  const { webSockets = false, ...ours } = plain(options);
  refuseWhere(ours);
  const sdk = load();
  const prepare = (given: Given): Open => {
    const made = prepared(merged(ours, given));
    if (!webSockets) return (uri, rest) => new sdk.mqtt.MqttClient(mqttStream({ ...made, ...where(uri) }), rest);
    // The SDK's version of ws takes no createConnection.
    const agent = new Agent(made);
    return (uri, rest) => sdk.mqtt.connect(uri, { ...rest, wsOptions: { agent } });
  };
  const refuse = (given: any): void => {
    if (given.mqtt?.webSocketAgent) throw invalid('the webSocketAgent would connect without hubtls', 'leave it out, or use nativeMqttTransport');
  };
  return transport(sdk, webSockets, prepare, Boolean(ours.identity ?? ours.cert ?? ours.pfx ?? ours.config?.identity), refuse);
}

/** The same on Node.js's own TLS, as far as `tlsOptions` can tell it the policy. */
export function nativeMqttTransport(options: NativeTransportOptions = {}): Transport {
  const { webSockets = false, ...ours } = plain(options);
  refuseWhere(ours);
  const sdk = load();
  const prepare = (given: Given): Open => {
    const native = tlsOptions(merged(ours, given));
    if (webSockets) return (uri, rest) => sdk.mqtt.connect(uri, { ...rest, wsOptions: { ...rest.wsOptions, ...native } });
    // mqtt.js 4 itself would send the host's name whatever the options say.
    return (uri, rest) => new sdk.mqtt.MqttClient((client: any) => tellErrors(client, () => connectNatively(uri, native)), rest);
  };
  const refuse = (given: any): void => {
    const agent = given.mqtt?.webSocketAgent;
    // What an agent says of TLS wins over what the request says.
    if (agent) refuseTls({ ...agent.options, ...agent.connectOpts }, 'leave it out of the webSocketAgent');
  };
  return transport(sdk, webSockets, prepare, Boolean(ours.cert ?? ours.pfx), refuse);
}

function connectNatively(uri: string, options: tls.ConnectionOptions): tls.TLSSocket {
  const { host, port } = where(uri);
  const servername = options.servername ?? (net.isIP(host) ? undefined : host);
  return tls.connect({ ...options, host, port, ...(servername ? { servername } : {}) });
}

function where(uri: string): { host: string; port: number } {
  const { hostname, port } = new URL(uri);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 8883) };
}

function refuseWhere(options: object): void {
  for (const name of ['host', 'port', 'socket', 'signal']) {
    if (name in options) throw invalid(`${name} is not for a transport`, 'the SDK decides where and when to connect');
  }
}

function merged<T extends ConfigOptions>(options: T, given: Given): T {
  const all = { ...options };
  if (given.cert !== undefined) {
    for (const name of ['identity', 'pfx', 'cert', 'key', 'passphrase'] as const) delete all[name];
    Object.assign(all, { cert: given.cert, key: given.key, passphrase: given.passphrase });
  }
  if (given.ca) {
    const roots = rootsOf(given.ca, 'ca');
    all.addCa = all.addCa === undefined ? roots : rootsOf(all.addCa, 'addCa').withAdded(roots);
  }
  return all;
}

interface Sdk {
  Mqtt: any;
  MqttWs: any;
  MqttBase: any;
  mqtt: any;
  NotConnectedError: any;
}

const PACKAGE = 'azure-iot-device-mqtt';
/** What this was tested with. */
const KNOWN = '1.16.4';

function unknown(message: string): HubTlsError {
  return new HubTlsError('UNSUPPORTED_BY_ENGINE', 209, message, `npm install ${PACKAGE}@${KNOWN}`);
}

/** The SDK and its own mqtt.js, wherever it has them from. */
function load(): Sdk {
  const here = createRequire(__filename);
  let path: string;
  try {
    path = here.resolve(PACKAGE);
  } catch (cause) {
    const error = new Error(`${PACKAGE} is not installed: npm install azure-iot-device ${PACKAGE}@${KNOWN}`, { cause });
    throw Object.assign(error, { code: 'MODULE_NOT_FOUND' });
  }
  let sdk: Sdk;
  try {
    const fromSdk = createRequire(path);
    const { Mqtt, MqttWs } = fromSdk(path);
    const { MqttBase } = fromSdk('azure-iot-mqtt-base');
    const mqtt = createRequire(fromSdk.resolve('azure-iot-mqtt-base'))('mqtt');
    const { NotConnectedError } = fromSdk('azure-iot-common').errors;
    sdk = { Mqtt, MqttWs, MqttBase, mqtt, NotConnectedError };
  } catch (cause) {
    throw Object.assign(unknown(`${PACKAGE} is not made as expected: ${(cause as Error).message}`), { cause });
  }
  checkSeam(sdk);
  return sdk;
}

/** @internal Throws if the SDK would not connect with what it is given. */
export function checkSeam({ Mqtt, MqttWs, MqttBase, mqtt, NotConnectedError }: Sdk): void {
  for (const [name, value] of Object.entries({ Mqtt, MqttWs, MqttBase, NotConnectedError, connect: mqtt?.connect, MqttClient: mqtt?.MqttClient })) {
    if (typeof value !== 'function') throw unknown(`${PACKAGE} is not made as expected: it has no ${name}`);
  }
  const provider = { connect: () => undefined };
  if (new MqttBase(provider).mqttProvider !== provider) {
    throw unknown(`${PACKAGE} is not made as expected: MqttBase takes no provider`);
  }
  for (const name of ['connect', 'setOptions']) {
    if (typeof MqttBase.prototype[name] !== 'function') throw unknown(`${PACKAGE} is not made as expected: MqttBase has no ${name}`);
  }
}

/** Whether an error is of the transport, where trying again may help. */
function wasLost(error: any): boolean {
  if (!(error instanceof Error)) return false;
  return error instanceof HubTlsError ? error.number >= 400 && error.number < 500 : typeof (error as any).syscall === 'string';
}

type Done = (error?: Error | null, ...rest: unknown[]) => void;

/** The SDK wants a certificate; the identity in the options is shown instead. */
const PLACEHOLDER = { cert: 'the identity in the options', key: 'the identity in the options' };

function transport(
  sdk: Sdk,
  webSockets: boolean,
  prepare: (given: Given) => Open,
  hasIdentity: boolean,
  refuse: (given: any) => void = () => undefined,
): Transport {
  const shared = prepare({});

  /** Connects with what `prepare` makes, and remembers why that failed. */
  class Base extends sdk.MqttBase {
    failure: Error | undefined;
    /** What was wrong with options that nobody could be told of. */
    wrong: unknown;
    #ca: string | undefined;
    #given: Given = {};
    #open = shared;

    constructor() {
      const provider: { connect: Open } = { connect: shared };
      super(provider);
      if (this.mqttProvider !== provider) throw unknown(`${PACKAGE} is not made as expected: MqttBase takes no provider`);
      provider.connect = (uri, { ca: _, cert: __, key: ___, passphrase: ____, ...rest }) => this.#open(uri, rest);
    }

    /** The SDK decides by an error's name whether to try again: a connection that was lost has to have the one that plain TLS gets. */
    emit(event: string, ...values: any[]): boolean {
      const [error] = values;
      if (event === 'error' && wasLost(error)) {
        values[0] = Object.assign(new sdk.NotConnectedError(error.message), { code: error.code, cause: error });
      }
      return super.emit(event, ...values);
    }

    setOptions(options: any): void {
      refuse(options);
      const { cert, key, passphrase } = options;
      const ca = options.ca || undefined;
      this.#with({ ca, ...(cert ? { cert, key, passphrase } : {}) });
      this.wrong = undefined;
      this.#ca = ca;
      super.setOptions(options);
    }

    connect(config: any, done: Done): void {
      this.failure = undefined;
      const answer: Done = (error, ...rest) => {
        this.failure = error ?? undefined;
        done(error, ...rest);
      };
      const { sharedAccessSignature, x509 } = config;
      const certified = !sharedAccessSignature && x509?.cert;
      try {
        if (this.wrong !== undefined) throw this.wrong;
        this.#with({ ca: this.#ca, ...(certified ? { cert: x509.cert, key: x509.key, passphrase: x509.passphrase } : {}) });
        const own = !sharedAccessSignature && !certified && hasIdentity;
        super.connect(own ? { ...config, x509: PLACEHOLDER } : config, answer);
      } catch (error) {
        process.nextTick(answer, error);
      }
    }

    #with(given: Given): void {
      const names = ['ca', 'cert', 'key', 'passphrase'] as const;
      if (names.every((name) => given[name] === this.#given[name])) return;
      this.#open = names.every((name) => given[name] === undefined) ? shared : prepare(given);
      this.#given = given;
    }
  }

  const Parent = webSockets ? sdk.MqttWs : sdk.Mqtt;

  class Made extends Parent {
    readonly #base: Base;

    constructor(authenticationProvider: any) {
      const base = new Base();
      super(authenticationProvider, base);
      if (this._mqtt !== base) throw unknown(`${PACKAGE} is not made as expected: Mqtt takes no MqttBase`);
      this.#base = base;
    }

    /** @internal The next connection answers what nobody was there to be told. */
    failsWith(error: unknown): void {
      this.#base.wrong = error;
    }

    /** @internal */
    explained(error: any): unknown {
      if (error instanceof Error) explain(error, this.#base.failure);
      return error;
    }
  }
  tellCauses(Made, sdk.Mqtt.prototype);
  return Made;
}

/** The SDK makes errors of its own, with the message of the first alone: the callbacks of all methods are given the first one, too. */
function tellCauses(made: any, methods: any): void {
  for (const name of Object.getOwnPropertyNames(methods)) {
    const original = methods[name];
    if (name === 'constructor' || name.startsWith('_') || typeof original !== 'function') continue;
    made.prototype[name] = function (this: any, ...values: any[]): unknown {
      const done = values.at(-1);
      if (typeof done === 'function') {
        values[values.length - 1] = (error: unknown, ...rest: unknown[]) => done(this.explained(error), ...rest);
      }
      try {
        return original.apply(this, values);
      } catch (error) {
        // The SDK calls this one where nobody can catch.
        if (name !== 'setOptions') throw error;
        if (typeof done === 'function') done(error);
        else this.failsWith(error);
        return undefined;
      }
    };
  }
}

function explain(error: any, failure: any): void {
  const { transportError } = error;
  const inside = [failure, transportError].find(
    (it) => it instanceof Error && it !== error && it.message !== '' && error.message.includes(it.message),
  ) as NodeJS.ErrnoException | undefined;
  if (inside === undefined || error.cause !== undefined) return;
  error.cause = inside;
  error.code ??= inside.code;
}
