/** The SMTP listener as a target: any octets as a client's, and what must hold whatever they are. */
import assert from 'node:assert/strict';
import { SmtpError } from '../../src/smtp/index.js';
import { type Listener, startListener, type Taken } from '../smtp/listener.js';
import { converse, ownPieces, plain } from './socket.js';
import type { Target } from './target.js';
import { addressWords } from './words.js';

/** Ends whatever state the input left: the content of DATA, an exchange of AUTH, the session. */
const GOODBYE = Buffer.from('\r\n.\r\nQUIT\r\n');
/** From here on the server waits for a TLS handshake, which does not come. */
const TLS_READY = /^220 2/m;

/** What was taken in is what RFC 5321 allows: whole lines, no bare CR or LF, no NUL. */
function checkTaken({ bytes, envelope, length }: Taken): void {
  assert.equal(bytes.length, length);
  const text = bytes.toString('latin1');
  assert.ok(!/\r(?!\n)|(?<!\r)\n|\0/.test(text), 'a line end that is none, or NUL');
  assert.ok(text === '' || text.endsWith('\r\n'), 'no whole last line');
  assert.ok(envelope.recipients.length > 0, 'no recipient');
  for (const address of [envelope.mailFrom, ...envelope.recipients])
    assert.ok(!/[\0-\x20\x7f<>]/.test(address.replace(/^"(?:[^"\\]|\\.)*"@/, '')), 'an address that is none');
}

function checkReplies(heard: string): void {
  assert.match(heard, /^220[ -]/);
  assert.ok(heard.endsWith('\r\n'), 'a reply without its end');
  for (const line of heard.slice(0, -2).split('\r\n')) assert.match(line, /^[2-5]\d\d[ -][^\r\n\0]{0,508}$/);
}

const words = [
  ...addressWords,
  'EHLO a.example\r\n',
  'MAIL FROM:<a@b.example>\r\n',
  'RCPT TO:<b@c.example>\r\n',
  'DATA\r\n',
  'RSET\r\n',
  'STARTTLS\r\n',
  'AUTH PLAIN ',
  'AUTH LOGIN\r\n',
  'AGFubmEAc2VncmV0bw==\r\n',
  'BDAT 5 LAST\r\n',
  'QUIT\r\n',
  '\r\n.\r\n',
  '\n.\n',
  '\r\n.\n',
  '\r.\r',
  ' SMTPUTF8',
  ' NOTIFY=NEVER',
];

/** @param submission the listener for our own users; without, that for other servers */
export async function smtpTarget(submission: boolean, corpus: string): Promise<Target> {
  const listener: Listener = await startListener({ submission, insecureAuth: submission, size: 32 * 1024 });
  return {
    corpus: [corpus, 'smtp'],
    covers: ['src/smtp/server', 'src/smtp/session', 'src/smtp/spool', 'src/smtp/wording', 'src/smtp/path'],
    words,
    async run(input) {
      const heard = await converse(plain(listener.port), [...ownPieces(input), GOODBYE], {
        open: true,
        until: (text) => TLS_READY.test(text.slice(text.indexOf('\n'))),
      });
      checkReplies(heard);
      const taken = listener.taken.splice(0);
      taken.forEach(checkTaken);
      if (submission) for (const { peer } of taken) assert.equal(peer.user, 'anna', 'mail of nobody');
      const accepted = heard.match(/^250 2\.0\.0 messaggio-/gm)?.length ?? 0;
      assert.ok(accepted <= taken.length, 'acknowledged and not taken');
      for (const error of listener.reported.splice(0)) if (!(error instanceof SmtpError)) throw error;
      assert.deepEqual(await listener.spooled(), []);
    },
    close: () => listener.stop(),
  };
}
