import assert from 'node:assert/strict';
import { startListener } from '../../pop3/fakes.js';
import { failureTelemetry } from '../events.js';
import { converse, ownPieces, plain } from '../socket.js';
import type { Target } from '../target.js';

const SECRET = 'riservato alla titolare';
const messages = [
  `Subject: uno\r\n\r\n${SECRET}\r\n.una riga\r\n`,
  `Subject: due\r\n\r\n${SECRET}\r\nfine\r\n`,
];
const failures = failureTelemetry();
const listener = await startListener(messages, {
  mode: 'starttls',
  testing: true,
  telemetry: failures.telemetry,
  // After STLS no handshake comes.
  timeouts: { handshake: 100 },
});

export const target: Target = {
  corpus: ['pop3'],
  covers: ['src/pop3/', 'src/wire/pop3/'],
  words: [
    'USER anna@alfa.example\r\n',
    'PASS segreto\r\n',
    'AUTH PLAIN ',
    'AGFubmFAYWxmYS5leGFtcGxlAHNlZ3JldG8=\r\n',
    '*\r\n',
    'STAT\r\n',
    'LIST',
    'UIDL',
    'RETR 1\r\n',
    'TOP 1 0\r\n',
    'DELE 2\r\n',
    'RSET\r\n',
    'NOOP\r\n',
    'CAPA\r\n',
    'UTF8\r\n',
    'STLS\r\n',
    'QUIT\r\n',
    '\r\n',
    '\n',
    ' 1',
    ' 99999999999999999999',
  ],
  longest: 4096,
  async run(input) {
    const heard = await converse(plain(listener.port), ownPieces(input));
    assert.match(heard, /^\+OK /);
    assert.ok(!/\r(?!\n)|(?<!\r)\n/.test(heard), 'a line end that is none');
    const text = input.toString('latin1');
    // RFC 1939 4: nothing of a mailbox before its holder is known, and nothing is deleted without QUIT.
    const mayRead = /segreto/.test(text) || /AUTH/i.test(text);
    assert.ok(mayRead || !heard.includes(SECRET), 'a message for nobody in particular');
    const missing = messages.length - listener.mailstore.count(1);
    assert.ok(missing === 0 || (/QUIT/i.test(text) && /DELE/i.test(text)), 'a message gone');
    listener.mailstore.add(1, ...messages.slice(0, missing));
    for (const failure of failures.taken()) assert.match(failure, /connection|handshake/i);
  },
  close: () => listener.server.close(),
};
