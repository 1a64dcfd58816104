import {
  type Authentication,
  loggedName,
  type ScramMechanism,
  type ScramRefusal,
} from '../accounts/index.js';
import type { Mailbox } from '../storage/index.js';
import type { Context, Dialogue, Done } from './command.js';
import { refusals } from './refusals.js';

/** Checks the credentials; the answer carries the capabilities as they are from here on. @throws ImapError */
export async function logIn(
  { user, password }: { readonly user: string; readonly password: string },
  context: Context,
): Promise<Done> {
  const { services, connection } = context;
  if (!connection.mayLogIn) throw refusals.tlsRequired();
  const outcome = await services.accounts.authenticate({
    address: user,
    password,
    remote: connection.peer,
  });
  return outcome.ok ? admit(outcome.mailbox, context) : refuse(user, outcome, context);
}

/** What a SASL mechanism is told by its client. */
type Ask = (prompt: string, answer: (response: Buffer) => ReturnType<Dialogue['answer']>) => Dialogue;

/**
 * Answers the first message of SCRAM. The login counts once the client has seen our signature and said nothing against it.
 * @throws ImapError
 */
export async function logInByScram(
  mechanism: ScramMechanism,
  message: Buffer,
  context: Context,
  ask: Ask,
): Promise<Dialogue> {
  const { accounts } = context.services;
  const { channel, peer: remote } = context.connection;
  const start = await accounts.beginScram({ mechanism, message, channel, remote });
  if (!start.ok) return refuseScram(start, context);
  return ask(base64(start.challenge), async (proof) => {
    const outcome = await start.finish(proof);
    if (!outcome.ok) return refuseScram(outcome, context);
    return ask(base64(outcome.signature), (nothing) => {
      if (nothing.length > 0) throw refusals.malformedResponse();
      return admit(outcome.mailbox, context);
    });
  });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function admit(
  { id: mailboxId, address }: Mailbox,
  { services, connection, capabilities }: Context,
): Promise<Done> {
  const hidden = new Set(await services.accounts.hiddenCapabilities(mailboxId));
  const next = { kind: 'authenticated', account: { mailboxId, address, hidden } } as const;
  services.telemetry.event('login.ok', { ...factsOf(connection), mailbox: address });
  return {
    code: `CAPABILITY ${capabilities(next)}`,
    text: 'Accesso eseguito / Logged in',
    next,
  };
}

function refuseScram(refusal: ScramRefusal, context: Context): never {
  if (refusal.reason === 'malformed') throw refusals.malformedResponse();
  if (refusal.reason !== 'downgrade' && refusal.reason !== 'binding')
    return refuse(refusal.user, refusal, context);
  const { services, connection } = context;
  const user = loggedName(refusal.user);
  services.telemetry.event('login.failed', { ...factsOf(connection), user, reason: refusal.reason });
  throw refusals.notBound();
}

function refuse(
  name: string,
  outcome: Exclude<Authentication, { ok: true }>,
  { services: { telemetry }, connection }: Context,
): never {
  const facts = { ...factsOf(connection), user: loggedName(name) };
  if (outcome.reason === 'throttled') {
    telemetry.event('login.throttled', { ...facts, cause: outcome.cause });
    throw refusals.throttled();
  }
  telemetry.event('login.failed', { ...facts, reason: outcome.reason });
  throw outcome.reason === 'revoked' ? refusals.revoked() : refusals.badCredentials();
}

const factsOf = ({ peer, session }: Context['connection']) => ({ protocol: 'imap', peer, session }) as const;
