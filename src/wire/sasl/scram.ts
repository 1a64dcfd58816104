/**
 * The four messages of SCRAM (RFC 5802 7). What is not of the grammar, or longer than anybody needs, is undefined. Readers keep the
 * octets the proofs are made over.
 */
import { decodeBase64 } from './base64.js';

/** What the client says of channel bindings (RFC 5802 6). */
export type BindingFlag =
  /** `n`: it can do none. */
  | { readonly kind: 'none' }
  /** `y`: it could, and thinks that the server cannot. */
  | { readonly kind: 'unoffered' }
  /** `p=name`: it uses this one. */
  | { readonly kind: 'used'; readonly name: string };

export interface ClientFirst {
  readonly binding: BindingFlag;
  /** Whom to act for; empty for oneself. */
  readonly authorization: string;
  readonly user: string;
  readonly nonce: string;
  /** Before `bare`; it stands in the client's last message again. */
  readonly header: string;
  /** client-first-message-bare. */
  readonly bare: string;
}

export interface ClientFinal {
  /** The header, and the channel's octets behind it. */
  readonly binding: Buffer;
  readonly nonce: string;
  readonly proof: Buffer;
  /** client-final-message-without-proof. */
  readonly withoutProof: string;
}

/** Octets of a message, and characters of a nonce. */
const LONGEST = 4096;
const LONGEST_NONCE = 512;

/** RFC 5802 7, printable: all of ASCII that is seen, but the comma. */
const NONCE = /^[\x21-\x2b\x2d-\x7e]+$/;
const BINDING_NAME = /^[A-Za-z0-9.-]{1,64}$/;
/** attr-val; extensions that nobody knows are passed over (RFC 5802 5.1). */
const EXTENSION = /^[A-Za-z]=[^\0]+$/;

export function readClientFirst(message: Buffer): ClientFirst | undefined {
  const text = textOf(message);
  const [flag, authorization, ...rest] = text?.split(',') ?? [];
  const binding = flag === undefined ? undefined : readFlag(flag);
  const [user, nonce, ...extensions] = rest;
  if (binding === undefined || authorization === undefined || user === undefined) return undefined;
  const actsFor = authorization === '' ? '' : readName('a=', authorization);
  const name = readName('n=', user);
  const random = readNonce(nonce);
  if (actsFor === undefined || name === undefined || random === undefined) return undefined;
  if (!extensions.every((each) => EXTENSION.test(each))) return undefined;
  const header = `${flag},${authorization},`;
  return { binding, authorization: actsFor, user: name, nonce: random, header, bare: rest.join(',') };
}

function readFlag(flag: string): BindingFlag | undefined {
  if (flag === 'n') return { kind: 'none' };
  if (flag === 'y') return { kind: 'unoffered' };
  const name = flag.slice(2);
  return flag.startsWith('p=') && BINDING_NAME.test(name) ? { kind: 'used', name } : undefined;
}

/** `prefix` saslname: comma and equals sign are `=2C` and `=3D`, and no other escape is one (RFC 5802 5.1). */
function readName(prefix: 'a=' | 'n=', part: string): string | undefined {
  const name = part.slice(2);
  if (!part.startsWith(prefix) || name === '' || /=(?!2C|3D)|\0/.test(name)) return undefined;
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function readNonce(part: string | undefined): string | undefined {
  const nonce = part?.slice(2) ?? '';
  return part?.startsWith('r=') && nonce.length <= LONGEST_NONCE && NONCE.test(nonce) ? nonce : undefined;
}

/** @param first.salt at least one octet */
export function writeServerFirst(first: {
  readonly nonce: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
}): string {
  return `r=${first.nonce},s=${Buffer.from(first.salt).toString('base64')},i=${first.iterations}`;
}

export function readClientFinal(message: Buffer): ClientFinal | undefined {
  const text = textOf(message);
  const parts = text?.split(',') ?? [];
  const [channel, random, ...extensions] = parts.slice(0, -1);
  const last = parts.at(-1);
  const nonce = readNonce(random);
  const binding = channel?.startsWith('c=') ? decodeBase64(channel.slice(2)) : undefined;
  const proof = last?.startsWith('p=') ? decodeBase64(last.slice(2)) : undefined;
  if (nonce === undefined || binding === undefined || proof === undefined) return undefined;
  if (!extensions.every((each) => EXTENSION.test(each))) return undefined;
  return { binding, nonce, proof, withoutProof: parts.slice(0, -1).join(',') };
}

export const writeServerFinal = (signature: Uint8Array): string =>
  `v=${Buffer.from(signature).toString('base64')}`;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The proofs are over octets: what text would not give back octet by octet is no message. */
function textOf(message: Buffer): string | undefined {
  if (message.length > LONGEST) return undefined;
  try {
    return UTF8.decode(message);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
