import { hash, verify } from '@node-rs/argon2';
import { AccountError } from './errors.js';

/** argon2id, the crate's default variant: 19 MiB, two passes, one lane (OWASP's first choice for interactive logins). */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** A hash of the same cost that no password is known for: unknown users are verified against it. */
export const NOBODY =
  '$argon2id$v=19$m=19456,t=2,p=1$TVUeypnzXHoYfUr8/5ckqg$2yws47LYAzmrAaxpcREY9CEU0pO5GFbcPjZmyHwF0wE';

const MIN_CHARACTERS = 8;
/** Enough for a passphrase; more would only buy an attacker time on our processor. */
const MAX_OCTETS = 1024;

/**
 * The form in which passwords are hashed and compared: NFC, every space an ASCII one (RFC 8265 4.2, OpaqueString), so
 * that the same keys pressed on two systems make the same password.
 * @returns undefined for what no password may be: empty, too long, with control characters.
 */
export function preparePassword(text: string): string | undefined {
  const prepared = text.replace(/\p{Zs}/gu, ' ').normalize('NFC');
  if (prepared === '' || Buffer.byteLength(prepared) > MAX_OCTETS || /\p{Cc}/u.test(prepared))
    return undefined;
  return prepared;
}

/** @throws AccountError 'bad-password' for one that may not be set. */
export async function hashNewPassword(text: string): Promise<string> {
  const prepared = preparePassword(text);
  if (prepared === undefined) {
    throw new AccountError(
      'bad-password',
      `a password has no control characters and at most ${MAX_OCTETS} octets`,
    );
  }
  if ([...prepared].length < MIN_CHARACTERS) {
    throw new AccountError('bad-password', `a password has at least ${MIN_CHARACTERS} characters`);
  }
  return hash(prepared, COST);
}

/** Takes as long for a user who is not there, or has no password, as for one who is. */
export async function verifyPassword(passwordHash: string | undefined, prepared: string): Promise<boolean> {
  if (passwordHash === undefined || passwordHash === '') {
    await verify(NOBODY, prepared);
    return false;
  }
  return verify(passwordHash, prepared);
}
