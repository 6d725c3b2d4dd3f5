/** What hubtls throws and emits. */

/** Marks errors of every copy of hubtls: programs and their tests may load several. */
const MARK = Symbol.for('hubtls.HubTlsError');

/**
 * Every error of hubtls. `code` is the same name in every language, `hint` says what to do.
 *
 * Errors of the network (`ECONNREFUSED` and the like) are those of Node.js itself.
 */
export class HubTlsError extends Error {
  override name = 'HubTlsError';
  /** @internal */
  readonly [MARK]!: true;
  /** The stable name, as in `HOST_NAME_MISMATCH`. */
  readonly code: string;
  /** The stable number. */
  readonly number: number;
  /** What to do about it. */
  readonly hint: string;
  /** The name of the TLS alert, if there was one. */
  readonly alert: string | null;
  /** Whether the peer sent the alert. */
  readonly alertReceived: boolean;

  constructor(code: string, number: number, message: string, hint: string, alert?: string | null, alertReceived?: boolean) {
    super(`${message} (${hint})`);
    Object.defineProperty(this, MARK, { value: true });
    this.code = code;
    this.number = number;
    this.hint = hint;
    this.alert = alert ?? null;
    this.alertReceived = alertReceived ?? false;
  }

  static override [Symbol.hasInstance](value: any): boolean {
    return value?.[MARK] === true;
  }
}

/** A wrong argument. */
export function invalid(message: string, hint: string): HubTlsError {
  return new HubTlsError('INVALID_ARGUMENT', 101, message, hint);
}

/** The time is up. */
export function timedOut(what: string, milliseconds: number): HubTlsError {
  return new HubTlsError(
    'TIMEOUT',
    403,
    `${what} took more than ${milliseconds} ms`,
    'is the address right, and is it a TLS port? a slow network needs a longer handshakeTimeout',
  );
}

/** The stream beneath was closed while hands were shaken. */
export function closedInHandshake(): HubTlsError {
  return new HubTlsError('CLOSED_IN_HANDSHAKE', 401, 'the connection was closed in the handshake', 'try again');
}
