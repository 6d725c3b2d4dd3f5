/** The native library: found, of this version, and its complaints about arguments turned into errors of hubtls. */

import type * as Native from '../native.js';
import { HubTlsError, invalid } from './errors.js';

/** Loads the library, or says what is missing. */
function load(): typeof Native {
  let library: typeof Native;
  try {
    library = require('../native.js');
  } catch (error) {
    // The loader tries many names; the first failure is that of this platform's.
    let first = error as Error;
    while (first.cause instanceof Error) first = first.cause;
    const message = `hubtls has no library for ${process.platform} on ${process.arch} here: ${first.message.split('\n')[0]}`;
    const hint = 'npm install hubtls, without --omit=optional, on the machine that it runs on; its README lists the platforms';
    throw Object.assign(new Error(`${message} (${hint})`, { cause: first }), { code: 'MODULE_NOT_FOUND' });
  }
  const [wanted, found] = [require('../package.json').version as string, library.version()];
  if (wanted !== found) {
    throw Object.assign(new Error(`hubtls ${wanted} found its library of version ${found} (install both anew)`), { code: 'ERR_VERSION_MISMATCH' });
  }
  return library;
}

const library = load();
library.setErrorClass(HubTlsError);

/** How napi calls an argument of the wrong type, or an object that is none of its own. */
const WRONG_TYPE = /Expected$|^InvalidArg$/;

/** Calls, and says of an argument of the wrong type only that: what napi says may hold a passphrase. */
function checked<Result>(name: string, values: unknown[], call: () => Result): Result {
  const wrong = (): HubTlsError => invalid(`${name} was given an argument of the wrong type`, 'its declaration tells the types');
  // napi would make some number of it.
  if (values.some((value) => typeof value === 'number' && !(Number.isInteger(value) && value >= 0 && value < 2 ** 32))) throw wrong();
  try {
    return call();
  } catch (error) {
    throw WRONG_TYPE.test(String((error as NodeJS.ErrnoException)?.code)) ? wrong() : error;
  }
}

type Class = { new (...values: any[]): any; prototype: any };

/** The same functions of an object, which check; `owner` is what static ones make objects of. */
function guarding(name: string, from: object, owner?: object): PropertyDescriptorMap {
  const own = Object.entries(Object.getOwnPropertyDescriptors(from)) as [string, PropertyDescriptor][];
  const guarded = own.filter(([key, { value }]) => key !== 'constructor' && key !== 'prototype' && typeof value === 'function');
  return Object.fromEntries(
    guarded.map(([key, property]) => {
      const value = function (this: unknown, ...values: unknown[]): unknown {
        return checked(`${name}.${key}`, values, () => property.value.apply(owner ?? this, values));
      };
      return [key, { ...property, value }];
    }),
  );
}

/** The class with functions that check; `made` says how objects are made that have no constructor. */
function guarded<Guarded extends Class>(class_: Guarded, made?: string): Guarded {
  const { name, prototype } = class_;
  // The class itself lets no property be changed.
  function same(...values: unknown[]): object {
    if (made !== undefined) throw invalid(`${name} is not made with new`, `use ${made}`);
    return checked(`new ${name}`, values, () => new class_(...values));
  }
  Object.defineProperties(prototype, { ...guarding(name, prototype), constructor: { value: same, configurable: true, writable: true } });
  return Object.defineProperties(same, {
    ...guarding(name, class_, class_),
    name: { value: name, configurable: true },
    prototype: { value: prototype },
  }) as unknown as Guarded;
}

export const Certificate = guarded(library.Certificate, 'Certificate.fromDer');
export const Config = guarded(library.Config, 'createConfig');
export const Connection = guarded(library.Connection);
export const Identity = guarded(library.Identity, 'Identity.fromPem and the like');
export const Negotiated = guarded(library.Negotiated, 'the one of a connection');
export const Policy = guarded(library.Policy, 'Policy.named');
export const Readiness = guarded(library.Readiness, 'roots.readiness');
export const Root = guarded(library.Root, 'roots.all');
export const Roots = guarded(library.Roots, 'Roots.from and the like');
export const { ConfigBuilder, Engine, errorCodes, version } = library;

export type Certificate = Native.Certificate;
export type Config = Native.Config;
export type ConfigBuilder = Native.ConfigBuilder;
export type Connection = Native.Connection;
export type Engine = Native.Engine;
export type Identity = Native.Identity;
export type Negotiated = Native.Negotiated;
export type Policy = Native.Policy;
export type Readiness = Native.Readiness;
export type Root = Native.Root;
export type Roots = Native.Roots;
export type { Alias, NamedCode, SignRequest } from '../native.js';
