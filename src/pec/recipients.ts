import type { Recipient } from './types.js';

/** RFC 5321 4.5.3.1.1 and 4.5.3.1.2, in octets; the path of 256 includes its angle brackets (4.5.3.1.3). */
const LOCAL_PART_LIMIT = 64;
const DOMAIN_LIMIT = 253;
const ADDRESS_LIMIT = 254;

const DOT_ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * The form under which two addresses are the same: ASCII letters lower, everything else as it stands.
 * Unicode case folding is left out on purpose: it maps foreign letters onto ASCII ones (KELVIN SIGN to `k`).
 */
export const addressKey = (address: string): string =>
  address.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Whether two addresses name the same mailbox, ASCII case apart. */
export const sameAddress = (one: string, other: string): boolean => addressKey(one) === addressKey(other);

/** Each address once, in order, in the case of its first appearance (decisions 14). */
export function distinctAddresses(addresses: readonly string[]): string[] {
  const first = new Map<string, string>();
  for (const address of addresses) {
    const key = addressKey(address);
    if (!first.has(key)) first.set(key, address);
  }
  return [...first.values()];
}

/** Domain of an address, ASCII lower case; empty when there is none. */
export const domainOf = (address: string): string => {
  const at = address.lastIndexOf('@');
  return at < 0 ? '' : addressKey(address.slice(at + 1));
};

/**
 * Whether `address` may stand in MAIL FROM, RCPT TO or the name of a mailbox: a dot-atom, `@` and a host name of two
 * labels or more. Quoted local parts, address literals and non-ASCII characters are refused; an IDN is written with
 * its A-labels.
 */
export function isValidAddress(address: string): boolean {
  const at = address.lastIndexOf('@');
  if (at < 1 || address.length > ADDRESS_LIMIT || at > LOCAL_PART_LIMIT) return false;
  return DOT_ATOM.test(address.slice(0, at)) && isValidDomain(address.slice(at + 1));
}

/** Whether `domain` is a host name of two ASCII labels or more whose last label is not a number (RFC 1123 2.1). */
export function isValidDomain(domain: string): boolean {
  if (domain.length > DOMAIN_LIMIT) return false;
  const labels = domain.split('.');
  const last = labels.at(-1) ?? '';
  return labels.length >= 2 && labels.every((label) => LABEL.test(label)) && !/^[0-9]+$/.test(last);
}

/**
 * `destinatari`: the accepted RCPTs, once each, case kept, told apart by the directory (decisions 14, RFC 6109 2.2.1).
 * @param isManaged whether a gestore in the directory manages that domain; called with its lower-case name
 */
export const certifiedRecipients = (
  accepted: readonly string[],
  isManaged: (domain: string) => boolean,
): Recipient[] =>
  distinctAddresses(accepted).map((address) => ({
    address,
    kind: isManaged(domainOf(address)) ? 'certificato' : 'esterno',
  }));
