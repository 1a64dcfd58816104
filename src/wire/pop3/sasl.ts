import { readText } from './text.js';

/** What a PLAIN message says (RFC 4616 2). */
export interface PlainCredentials {
  /** Whom to act for; empty for oneself. */
  readonly authorization: string;
  readonly user: string;
  readonly password: string;
}

const NUL = 0;

/** @returns undefined unless it is `[authzid] NUL authcid NUL passwd`. */
export function readPlain(message: Buffer): PlainCredentials | undefined {
  const first = message.indexOf(NUL);
  const second = message.indexOf(NUL, first + 1);
  if (first === -1 || second === -1 || message.includes(NUL, second + 1)) return undefined;
  const user = readText(message.subarray(first + 1, second));
  const password = readText(message.subarray(second + 1));
  if (user === '' || password === '') return undefined;
  return { authorization: readText(message.subarray(0, first)), user, password };
}
