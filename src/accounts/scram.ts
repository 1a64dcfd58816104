/**
 * A login by SCRAM-SHA-256 (RFC 5802, RFC 7677): the client proves that it knows the password without sending it, and the server
 * that it does; with -PLUS both also prove that no third one sits between two TLS connections.
 *
 * Invariants: whoever is named is asked the same way, mailbox or none; a nonce serves one proof; a proof is counted by the throttle
 * before it is looked at.
 */
import { randomBytes } from 'node:crypto';
import { addressKey } from '../pec/index.js';
import type { Mailbox, ScramCredential } from '../storage/index.js';
import {
  type ClientFirst,
  readClientFinal,
  readClientFirst,
  writeServerFinal,
  writeServerFirst,
} from '../wire/sasl/index.js';
import type { Authentication } from './authentication.js';
import { nobodysCredential, proves, serverSignature } from './scram-keys.js';
import type { Throttled } from './throttle.js';

export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS';

/** The TLS connection a login comes over, or none. */
export interface ScramChannel {
  /** Whether a login can be bound to it. */
  readonly binds: boolean;
  /** Its octets for a kind of binding (RFC 5929, RFC 9266); undefined for one we do not do here. */
  binding(name: string): Buffer | undefined;
}

/** A login without TLS is bound to nothing. */
export const UNBOUND: ScramChannel = { binds: false, binding: () => undefined };

/** What is offered on a connection, the best first. */
export const scramMechanisms = ({ binds }: ScramChannel): readonly ScramMechanism[] =>
  binds ? ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] : ['SCRAM-SHA-256'];

export interface ScramRequest {
  readonly mechanism: ScramMechanism;
  /** client-first-message. */
  readonly message: Buffer;
  readonly channel: ScramChannel;
  /** The peer's IP address. */
  readonly remote: string;
}

type Failed = Exclude<Authentication, { ok: true }>;

/** `user` is the name as it was given; not for a message that has none. */
export type ScramRefusal =
  | { readonly ok: false; readonly reason: 'malformed' }
  /** Somebody took -PLUS out of what the client was offered. */
  | { readonly ok: false; readonly reason: 'downgrade'; readonly user: string }
  /** The client is bound to another connection than this, or in a way that is none here. */
  | { readonly ok: false; readonly reason: 'binding'; readonly user: string }
  | (Failed & { readonly user: string });

export type ScramStart =
  | {
      readonly ok: true;
      /** server-first-message. */
      readonly challenge: string;
      /** Takes client-final-message, once. @throws StoreUnavailable */
      finish(message: Buffer): Promise<ScramOutcome>;
    }
  | ScramRefusal;

export type ScramOutcome =
  /** `signature` is server-final-message: who is logged in has still to agree with it. */
  { readonly ok: true; readonly mailbox: Mailbox; readonly signature: string } | ScramRefusal;

/** What an exchange needs of the accounts. */
export interface ScramDesk {
  /** The credential of no mailbox comes from it. */
  readonly secret: Uint8Array;
  find(user: string): Promise<{ mailbox: Mailbox | undefined; scram: ScramCredential | undefined }>;
  /** Counts a proof as failed until it is given back; undefined where nothing is counted. */
  admit(remote: string, account: string): Throttled | undefined;
}

/** Random octets of a server's nonce. */
const NONCE = 24;

/** @throws StoreUnavailable */
export async function beginScram(desk: ScramDesk, request: ScramRequest): Promise<ScramStart> {
  const first = readClientFirst(request.message);
  if (first === undefined) return { ok: false, reason: 'malformed' };
  const { user, authorization } = first;
  const binding = bindingOf(first, request);
  if (typeof binding === 'string') return { ok: false, reason: binding, user };
  // RFC 5802 5.1: nobody acts for another here.
  if (authorization !== '' && addressKey(authorization) !== addressKey(user))
    return { ok: false, reason: 'bad', user };
  const { salt, iterations } = await credentialOf(desk, user);
  const nonce = first.nonce + randomBytes(NONCE).toString('base64');
  const challenge = writeServerFirst({ nonce, salt, iterations });
  let used = false;
  return {
    ok: true,
    challenge,
    async finish(message) {
      const final = used ? undefined : readClientFinal(message);
      used = true;
      if (final === undefined || final.nonce !== nonce) return { ok: false, reason: 'malformed' };
      if (!final.binding.equals(binding)) return { ok: false, reason: 'binding', user };
      const messages = `${first.bare},${challenge},${final.withoutProof}`;
      return judge(desk, request.remote, { user, messages, proof: final.proof });
    },
  };
}

/** The octets that the client's last message has to repeat, or what is wrong with what it says of bindings (RFC 5802 6). */
function bindingOf(
  { binding, header }: ClientFirst,
  { mechanism, channel }: ScramRequest,
): Buffer | 'downgrade' | 'binding' {
  const plus = mechanism === 'SCRAM-SHA-256-PLUS';
  if (binding.kind === 'unoffered' && channel.binds) return 'downgrade';
  if (plus !== (binding.kind === 'used')) return 'binding';
  if (binding.kind !== 'used') return Buffer.from(header);
  const octets = channel.binding(binding.name);
  return octets === undefined ? 'binding' : Buffer.concat([Buffer.from(header), octets]);
}

/** As things are now: a password changed or a mailbox revoked since the first message counts. */
async function judge(
  desk: ScramDesk,
  remote: string,
  { user, messages, proof }: { readonly user: string; readonly messages: string; readonly proof: Buffer },
): Promise<ScramOutcome> {
  const { mailbox, account, ...credential } = await credentialOf(desk, user);
  const counted = desk.admit(remote, account);
  if (counted?.ok === false) return { ok: false, reason: 'throttled', cause: counted.cause, user };
  if (!proves(credential, messages, proof) || mailbox === undefined)
    return { ok: false, reason: 'bad', user };
  counted?.giveBack();
  // Only who knows the password is told that the mailbox is revoked.
  if (mailbox.state === 'revoked') return { ok: false, reason: 'revoked', user };
  return { ok: true, mailbox, signature: writeServerFinal(serverSignature(credential, messages)) };
}

/** Octets of a name past which it is nobody's. */
const LONGEST_NAME = 320;

async function credentialOf(
  desk: ScramDesk,
  user: string,
): Promise<ScramCredential & { readonly mailbox: Mailbox | undefined; readonly account: string }> {
  const name = user.slice(0, LONGEST_NAME);
  const { mailbox, scram } = await desk.find(name);
  // Computed for everybody, so that nobody is answered sooner.
  const nobodys = nobodysCredential(desk.secret, addressKey(name));
  // One account is one counter, whatever alias it is tried by.
  return { ...(scram ?? nobodys), mailbox, account: addressKey(mailbox?.address ?? name) };
}
