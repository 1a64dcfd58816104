/**
 * SMTP smuggling: one message must not become two. Every end-of-data lookalike, wherever it stands and however it is cut,
 * gets one answer, and what stands behind it is never obeyed. A real process, raw sockets.
 */
import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { SMTPStream } from 'smtp-server/lib/smtp-stream';
import { Rope } from '../../src/rope/index.js';
import { stuffed } from '../../src/smtp/dot-stuffing.js';
import { DotStuffer } from '../../src/wire/pop3/index.js';
import { identificativoIn, letter } from '../e2e/letters.js';
import { about, postacertOf } from '../e2e/reading.js';
import { Dialogue as Pop3Dialogue } from '../pop3/dialogue.js';
import { Dialogue } from '../smtp/dialogue.js';
import { type Pair, step, twoGestori } from '../support/gestore.js';
import { type Lookalike, lookalikes } from './lookalikes.js';

const STRANGER = 'smuggled@stranger.example';

/** Where in the data the lookalike stands. */
const places = ['at the very beginning', 'inside the header', 'inside the body', 'at the end'] as const;
type Place = (typeof places)[number];

const doors = ['465', '587', '25', '25 STARTTLS'] as const;
type Door = (typeof doors)[number];

const faults: Readonly<Record<Lookalike['is'], RegExp>> = {
  'bare-lf': /^554 5\.6\.0 .*an LF without CR$/,
  'bare-cr': /^554 5\.6\.0 .*a CR without LF$/,
  nul: /^554 5\.6\.0 .*a NUL octet$/,
  text: /^(250 2\.0\.0|550 5\.7\.1) /,
};

/** A connection ready for MAIL. */
async function open({ alfa }: Pair, door: Door): Promise<Dialogue> {
  const port = alfa.port(door === '465' ? 465 : door === '587' ? 587 : 25);
  const dialogue = await Dialogue.open(port, door === '465');
  await dialogue.hear();
  await dialogue.ask('EHLO client.example');
  if (door === '587' || door === '25 STARTTLS') {
    assert.match(await dialogue.ask('STARTTLS'), /^220 /);
    await dialogue.startTls();
    await dialogue.ask('EHLO client.example');
  }
  if (!door.startsWith('25')) {
    const { address, password } = alfa.account('anna');
    const token = Buffer.from(`\0${address}\0${password}`).toString('base64');
    assert.match(await dialogue.ask(`AUTH PLAIN ${token}`), /^235 /);
  }
  return dialogue;
}

/** What goes over the wire after 354, before and after the lookalike: behind it stands what the attacker would have obeyed. */
function around({ alfa }: Pair, place: Place): { before: string; after: string } {
  const header = `From: ${alfa.address('anna')}\r\nTo: ${alfa.address('aldo')}\r\nSubject: prova\r\n`;
  const commands =
    `MAIL FROM:<${STRANGER}>\r\nRCPT TO:<${alfa.address('aldo')}>\r\nDATA\r\n` +
    `From: ${STRANGER}\r\nTo: ${alfa.address('aldo')}\r\nSubject: smuggled\r\n\r\nsmuggled\r\n`;
  if (place === 'at the very beginning') {
    return { before: '', after: `${header}\r\nprova\r\n${commands}` };
  }
  if (place === 'inside the header') return { before: `${header}X-Prova: a`, after: `b\r\n\r\n${commands}` };
  if (place === 'inside the body') return { before: `${header}\r\nprova`, after: commands };
  return { before: `${header}\r\n${commands}prova`, after: '' };
}

/** One cell of the matrix: the answers from the final dot to the NOOP behind it. */
async function cell(
  pair: Pair,
  dialogue: Dialogue,
  { octets, place, cut }: { octets: string; place: Place; cut: boolean },
): Promise<string[]> {
  const { alfa } = pair;
  assert.match(await dialogue.ask(`MAIL FROM:<${alfa.address('anna')}>`), /^250 /);
  assert.match(await dialogue.ask(`RCPT TO:<${alfa.address('aldo')}>`), /^250 /);
  assert.match(await dialogue.ask('DATA'), /^354 /);
  const { before, after } = around(pair, place);
  const end = '\r\n.\r\nNOOP\r\n';
  // Each piece is a TCP segment or a TLS record of its own: nothing tells the client when the server has read it.
  const pieces = cut
    ? [before, ...octets, after, ...'\r\n.\r\n', 'NOOP\r\n']
    : [before + octets + after + end];
  for (const piece of pieces.filter((one) => one !== '')) {
    dialogue.say(Buffer.from(piece, 'latin1'));
    if (cut) await sleep(1);
  }
  const answers = [await dialogue.hear(), await dialogue.hear()];
  // Had anything been obeyed, its answers would stand here.
  answers.push(await dialogue.ask('VRFY end'));
  return answers;
}

test('the matrix of end-of-data lookalikes', async (t) => {
  const pair = await twoGestori(t);
  const { alfa } = pair;
  for (const door of doors) {
    for (const place of places) {
      await step(t, pair, `port ${door}, ${place}`, async () => {
        for (const cut of [false, true]) {
          const dialogue = await open(pair, door);
          for (const lookalike of lookalikes) {
            // Each of these is a message taken: once a door will do.
            if (lookalike.is === 'text' && place !== 'inside the body') continue;
            const what = `${lookalike.name}${cut ? ', in pieces' : ''}`;
            const [answer, noop, last] = await cell(pair, dialogue, { ...lookalike, place, cut });
            assert.match(answer ?? '', faults[lookalike.is], what);
            assert.match(noop ?? '', /^250 /, what);
            assert.match(last ?? '', /^502 /, what);
          }
          dialogue.close();
        }
      });
    }
  }

  await step(t, pair, 'nothing of what stood behind a lookalike happened', async () => {
    const events = await alfa.events();
    assert.ok(events.length > 0);
    for (const { sender, subject } of events) {
      assert.notEqual(sender, STRANGER);
      assert.doesNotMatch(subject, /smuggled/);
    }
    for (const local of ['anna', 'aldo']) {
      for (const { header } of await alfa.inbox(local).messages()) {
        assert.doesNotMatch(header, /^Subject: .*smuggled/m);
      }
    }
  });

  await step(t, pair, 'the real end of data ends it: the matrix can tell', async () => {
    const dialogue = await open(pair, '25');
    const answers = await cell(pair, dialogue, { octets: '\r\n.\r\n', place: 'inside the body', cut: false });
    assert.match(answers[1] ?? '', /^250 2\.1\.0/, 'the second MAIL was obeyed');
    dialogue.close();
  });

  await step(t, pair, 'no other way to send data is offered', async () => {
    for (const door of doors) {
      const dialogue = await open(pair, door);
      assert.doesNotMatch(await dialogue.ask('EHLO client.example'), /CHUNKING|BINARYMIME/);
      assert.match(await dialogue.ask('BDAT 5 LAST'), /^502 /);
      dialogue.close();
    }
  });

  await step(t, pair, 'dots travel from client to client unharmed', () => dotsUnharmed(pair));
});

/** Lines of dots, one across every boundary of 64 and 256 KiB on the way. */
async function dotsUnharmed(pair: Pair): Promise<void> {
  const { alfa, beta } = pair;
  const lines = ['.', '..', '...', '.\t', ' .', '.x', 'x.', '', '.'];
  const unit = `${lines.join('\r\n')}\r\n`;
  const body = unit.repeat(Math.ceil(600_000 / unit.length));
  const text = `.\r\n${body}.`;
  const content = letter({ from: alfa.address('anna'), to: [beta.address('bruno')], subject: 'punti' });
  const message = Buffer.concat([content, Buffer.from(`${text}\r\n`)]);
  const id = identificativoIn(
    await alfa.submit(alfa.account('anna'), { to: [beta.address('bruno')], content: message }),
  );
  const [busta] = await beta.inbox('bruno').waitFor(about(id, 'posta-certificata'));
  assert.ok(busta);
  assert.ok(postacertOf(busta)?.includes(Buffer.from(text)));

  // And on the raw wire of POP3 the lone dot is the last line and no other, with a command right behind RETR.
  const { address, password } = beta.account('bruno');
  const dialogue = await Pop3Dialogue.open(beta.port(995));
  await dialogue.hear();
  await dialogue.ask(`USER ${address}`);
  assert.match(await dialogue.ask(`PASS ${password}`), /^\+OK/);
  dialogue.say('RETR 1\r\nNOOP\r\n');
  assert.match(await dialogue.hear(), /^\+OK/);
  const raw = await dialogue.hearBody();
  assert.equal(await dialogue.hear(), '+OK');
  dialogue.say('QUIT\r\n');
  assert.match(await dialogue.hear(), /^\+OK/);
  assert.ok(!/(?<!\r)\n|\r(?!\n)|\0/.test(raw.toString('latin1')));
  assert.equal(raw.toString('latin1').replace(/^\./gm, ''), busta.bytes.toString('latin1'));
}

const octets = fc
  .array(fc.constantFrom('\r', '\n', '.', '\0', 'a', '\r\n', '\r\n.', '\r\n.\r\n', '..'), { maxLength: 30 })
  .map((parts) => parts.join(''));
/** Where to cut. */
const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 6 });

function piecesOf(text: string, at: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const marks = [0, ...[...at].filter((one) => one < bytes.length).sort((a, b) => a - b), bytes.length];
  return marks.slice(1).map((mark, index) => bytes.subarray(marks[index] ?? 0, mark));
}

/**
 * RFC 5321 4.5.2 in its simplest form: up to the first CRLF . CRLF, the data being preceded by a CRLF. A dot goes where there
 * are two; one that the client forgot to double stays, so that nothing of its message is lost.
 */
function referenceOf(text: string): { data: string; rest: string } {
  const whole = `\r\n${text}`;
  const end = whole.indexOf('\r\n.\r\n');
  const data = whole.slice(2, end + 2);
  return { data: data.replace(/(^|\r\n)\.\./g, '$1.'), rest: whole.slice(end + 5) };
}

describe('taking data in, whatever it is cut into', () => {
  it('the data ends at the first CRLF . CRLF and nowhere else', async () => {
    await fc.assert(
      fc.asyncProperty(octets, cuts, async (text, at) => {
        const wire = `${text}\r\n.\r\nREST\r\n`;
        const { data, rest } = referenceOf(wire);
        const commands: string[] = [];
        const stream = new SMTPStream();
        stream.oncommand = (command, callback) => {
          commands.push(command.toString('latin1'));
          callback?.();
        };
        const pieces: Buffer[] = [];
        const taken = stream.startDataMode();
        taken.on('data', (piece: Buffer) => pieces.push(piece));
        taken.on('end', () => stream.continue());
        for (const piece of piecesOf(wire, at)) {
          await new Promise<void>((resolve) => stream.write(piece, () => resolve()));
        }
        const got = Buffer.concat(pieces).toString('latin1');
        // A dot behind a bare LF may go: such data is refused as a whole.
        if (!/(?<!\r)\n/.test(data)) assert.equal(got, data);
        const expectedCommands = rest.split(/\r?\n/).slice(0, -1);
        assert.deepEqual(commands, expectedCommands);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('giving data out, whatever it is made of', () => {
  const canonical = fc
    .array(fc.constantFrom('.', '..', 'a', '.a', '\r\n', '\r\n.', '\r\n.\r\n', '\r\n\r\n'), { maxLength: 30 })
    .map((parts) => parts.join(''));

  const check = (content: string, sent: string): void => {
    const wire = `${sent}.\r\n`;
    const { data, rest } = referenceOf(wire);
    assert.equal(rest, '', 'the only end is the last');
    assert.equal(data.replace(/\r\n$/, ''), content.replace(/\r\n$/, ''));
    assert.doesNotMatch(sent, /(?<!\r)\n|\r(?!\n)/);
  };

  it('the relay: one end of data, the content inside', async () => {
    await fc.assert(
      fc.asyncProperty(canonical, cuts, async (content, at) => {
        fc.pre(content !== '');
        let sent = '';
        for await (const piece of stuffed(Rope.of(...piecesOf(content, at))))
          sent += piece.toString('latin1');
        check(content, sent);
      }),
      { numRuns: 2000 },
    );
  });

  it('POP3: the same', () => {
    fc.assert(
      fc.property(canonical, cuts, (content, at) => {
        fc.pre(content !== '');
        const stuffer = new DotStuffer();
        let sent = '';
        for (const piece of piecesOf(content, at)) sent += stuffer.push(piece).toString('latin1');
        check(content, sent + stuffer.end().toString('latin1'));
      }),
      { numRuns: 2000 },
    );
  });

  it('a dot on either side of the relay’s own steps of 256 KiB', async () => {
    for (const shift of [-3, -2, -1, 0, 1, 2]) {
      const filler = `${'a'.repeat(256 * 1024 + shift - 2)}\r\n`;
      const content = `${filler}.\r\n..\r\n`;
      let sent = '';
      for await (const piece of stuffed(Rope.of(Buffer.from(content)))) sent += piece.toString('latin1');
      check(content, sent);
    }
  });
});
