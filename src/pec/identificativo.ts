import { createHash } from 'node:crypto';
import type { LegalTime } from './types.js';

const RANDOM = /^[0-9A-Za-z]{16,64}$/;
const DOMAIN = /^[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?$/;

/**
 * A PEC msgid, or the Message-ID of a notification: `ceralacca1.<YYYYMMDDhhmmss>.<random>@<mailDomain>`, no brackets
 * (RFC 6109 2.2.1).
 * @param random 16 to 64 letters and digits nobody can guess: the boundaries of the message are derived from them
 * @throws RangeError when `random` or `mailDomain` cannot stand in a Message-ID
 */
export function identificativo(time: LegalTime, random: string, mailDomain: string): string {
  if (!RANDOM.test(random))
    throw new RangeError('an identificativo wants 16 to 64 random letters and digits');
  if (!DOMAIN.test(mailDomain)) throw new RangeError(`not a mail domain: ${mailDomain}`);
  return `ceralacca1.${time.compact}.${random}@${mailDomain}`;
}

/** Boundaries of one composed message. */
export interface Boundaries {
  readonly signed: string;
  readonly mixed: string;
  readonly alternative: string;
}

/**
 * Boundaries that the embedded original cannot contain: they hang on the message's own random identifier, made after
 * the original was received. They look like those of `openssl smime` and MIME::Tools (pec-format 1.2), and none is the
 * beginning of another.
 */
export function boundariesOf(messageId: string): Boundaries {
  const digest = (use: string): string =>
    createHash('sha256').update(`${use}\n${messageId}`).digest('hex').slice(0, 32).toUpperCase();
  return {
    signed: `----${digest('signed')}`,
    mixed: `----------=_${digest('mixed')}`,
    alternative: `----------=_${digest('alternative')}`,
  };
}
