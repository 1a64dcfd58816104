import { readPlain } from '../wire/pop3/index.js';
import { decodeBase64 } from '../wire/sasl/index.js';
import { type Context, type Outcome, ok } from './command.js';
import { summary } from './listing.js';
import type { Maildrop } from './maildrop.js';
import { refusals } from './refusals.js';
import type { SaslStep } from './state.js';

/** The client takes back its AUTH (RFC 5034 4). */
const CANCEL = '*';

/** Asks for the client's next line. */
export const challenge = (step: SaslStep, text = ''): Outcome => ({
  reply: { status: '+', challenge: Buffer.from(text) },
  next: { kind: 'sasl', step },
});

/**
 * A client's message, as it came with AUTH or after a challenge.
 * @throws Pop3Error
 */
export async function answerSasl(step: SaslStep, response: string, context: Context): Promise<Outcome> {
  if (response === CANCEL) throw refusals.cancelled();
  const message = decodeBase64(response);
  if (message === undefined) throw refusals.malformedResponse();
  const { login } = context;
  switch (step.kind) {
    case 'plain':
      return answerPlain(message, context);
    case 'scram': {
      const start = await login.beginScram(step.mechanism, message);
      return challenge({ kind: 'scram-proof', finish: start.finish }, start.challenge);
    }
    case 'scram-proof': {
      const { mailbox, signature } = await login.finishScram(step.finish, message);
      return challenge({ kind: 'scram-agreed', mailbox }, signature);
    }
    case 'scram-agreed':
      if (message.length > 0) throw refusals.malformedResponse();
      return entered(await login.open(step.mailbox));
  }
}

/** RFC 4616. */
async function answerPlain(message: Buffer, { login }: Context): Promise<Outcome> {
  const credentials = readPlain(message);
  if (credentials === undefined) throw refusals.malformedResponse();
  const { authorization, user, password } = credentials;
  // RFC 4616 2: nobody acts for another here.
  if (authorization !== '' && authorization.toLowerCase() !== user.toLowerCase()) {
    throw refusals.badCredentials();
  }
  return entered(await login.withPassword(user, password));
}

const entered = (maildrop: Maildrop): Outcome => ({
  reply: ok(summary(maildrop)),
  next: { kind: 'transaction', maildrop },
});
