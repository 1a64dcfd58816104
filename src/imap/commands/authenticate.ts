import { type ScramMechanism, scramMechanisms } from '../../accounts/index.js';
import { octetsText } from '../../wire/imap/index.js';
import { decodeBase64 } from '../../wire/sasl/index.js';
import { type Connection, type Context, command, type Dialogue, type Outcome } from '../command.js';
import { logIn, logInByScram } from '../log-in.js';
import { refusals } from '../refusals.js';

const mechanisms = ({ channel }: Connection): readonly string[] => [
  ...scramMechanisms(channel),
  'PLAIN',
  'LOGIN',
];

/** RFC 9051 6.2.2; RFC 4959 for the initial response. */
export const authenticate = command({
  name: 'AUTHENTICATE',
  states: ['not-authenticated'],
  capability: (connection) =>
    connection.mayLogIn ? [...mechanisms(connection).map((name) => `AUTH=${name}`), 'SASL-IR'] : [],
  grammar(scanner) {
    scanner.space();
    const mechanism = scanner.keyword();
    if (scanner.atEnd) return { mechanism, initial: undefined };
    scanner.space();
    return { mechanism, initial: scanner.rest() };
  },
  run({ mechanism, initial }, context) {
    if (!context.connection.mayLogIn) throw refusals.tlsRequired();
    if (mechanism === 'PLAIN') return begin(initial, (response) => plain(response, context));
    if (mechanism === 'LOGIN')
      return begin(initial, (response) => askPassword(octetsText(response), context), 'VXNlcm5hbWU6');
    const scram = scramMechanisms(context.connection.channel).find((name) => name === mechanism);
    if (scram !== undefined) return begin(initial, (response) => proof(scram, response, context));
    throw refusals.unknownMechanism();
  },
});

type Answer = (response: Buffer) => Promise<Outcome> | Outcome;

/** `=` is an empty initial response (RFC 4959 3). */
function begin(initial: Buffer | undefined, answer: Answer, prompt = ''): Promise<Outcome> | Outcome {
  if (initial === undefined) return dialogue(prompt, answer);
  return answer(initial.toString('latin1') === '=' ? Buffer.alloc(0) : decoded(initial));
}

const dialogue = (prompt: string, answer: Answer): Dialogue => ({
  prompt,
  answer: (line) => {
    if (line.toString('latin1') === '*') throw refusals.cancelled();
    return answer(decoded(line));
  },
});

function decoded(line: Buffer): Buffer {
  const bytes = decodeBase64(line.toString('latin1'));
  if (bytes === undefined) throw refusals.malformedResponse();
  return bytes;
}

/** RFC 4616: nobody acts for another here. */
function plain(response: Buffer, context: Context): Promise<Outcome> {
  const [authorization, user, password, ...more] = octetsText(response).split('\0');
  if (user === undefined || password === undefined || more.length > 0 || user === '' || password === '')
    throw refusals.malformedResponse();
  if (authorization !== '' && authorization !== user) throw refusals.badCredentials();
  return logIn({ user, password }, context);
}

const askPassword = (user: string, context: Context): Dialogue =>
  dialogue('UGFzc3dvcmQ6', (response) => logIn({ user, password: octetsText(response) }, context));

/** RFC 5802 5. */
const proof = (mechanism: ScramMechanism, response: Buffer, context: Context): Promise<Outcome> =>
  logInByScram(mechanism, response, context, dialogue);
