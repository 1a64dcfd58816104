import { decodeBase64, readPlain } from '../wire/pop3/index.js';
import { type Context, type Outcome, ok } from './command.js';
import { summary } from './listing.js';
import { refusals } from './refusals.js';

/** The client takes back its AUTH (RFC 5034 4). */
const CANCEL = '*';

/**
 * The one message of PLAIN (RFC 4616), as it came with AUTH or after the challenge.
 * @throws Pop3Error
 */
export async function answerPlain(response: string, context: Context): Promise<Outcome> {
  if (response === CANCEL) throw refusals.cancelled();
  const message = decodeBase64(response);
  const credentials = message && readPlain(message);
  if (credentials === undefined) throw refusals.malformedResponse();
  const { authorization, user, password } = credentials;
  // RFC 4616 2: nobody acts for another here.
  if (authorization !== '' && authorization.toLowerCase() !== user.toLowerCase()) {
    throw refusals.badCredentials();
  }
  const maildrop = await context.logIn(user, password);
  return { reply: ok(summary(maildrop)), next: { kind: 'transaction', maildrop } };
}
