import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { letter } from '../e2e/letters.js';
import { Dialogue } from '../pop3/dialogue.js';
import { settled, step, twoGestori } from '../support/gestore.js';
import { type Answered, ImapClient } from '../support/imap-client.js';
import { SmtpClient } from '../support/mail-clients.js';
import { scratch } from '../support/openssl.js';
import { needs } from '../support/programs.js';
import { type Call, type Promised, parseTrace, Strace, syncFault } from './strace.js';

const LOG = { file: /ceralacca\.db-wal$/, written: true } as const;
const DATA = { lastByte: '\\r\\n.\\r\\n', answer: '250 2.0.0 ' } as const;

/** A message of the submission port that stays in memory, one that goes through a spool file, POP3's QUIT, changes by IMAP. */
const promises = {
  small: { ...DATA, synced: [LOG] },
  large: {
    ...DATA,
    synced: [
      { file: /\.spool$/, written: false },
      { file: /\/blobs\/[0-9a-f]{2}\/[0-9a-f]{2}$/, written: false },
      LOG,
    ],
  },
  quit: { lastByte: 'QUIT\\r\\n', answer: '+OK', synced: [LOG] },
  append: { lastByte: 'fine.\\r\\n\\r\\n', answer: 'a2 OK [APPENDUID', synced: [LOG] },
  'large append': {
    lastByte: 'fine.\\r\\n\\r\\n',
    answer: 'a3 OK [APPENDUID',
    synced: [{ file: /\/blobs\/[0-9a-f]{2}\/[0-9a-f]{2}$/, written: false }, LOG],
  },
  store: { lastByte: '($Inviata)\\r\\n', answer: '* FLAGS (', synced: [LOG] },
  expunge: { lastByte: 'EXPUNGE\\r\\n', answer: '* 1 EXPUNGE', synced: [LOG] },
} as const satisfies Record<string, Promised>;

test('nothing is promised before it is on the disk', { skip: needs('strace') }, async (t) => {
  const files = scratch();
  t.after(() => files.remove());
  // In clear, so that the trace shows what is said.
  let pop3 = 0;
  let imap = 0;
  const pair = await twoGestori(t, {
    prepare: async ({ alfa }) => {
      pop3 = alfa.port(995) - 995 + 110;
      await alfa.run(['config', 'set', 'listen.pop3', String(pop3)]);
      imap = alfa.port(993) - 993 + 143;
      await alfa.run(['config', 'set', 'listen.imap', String(imap)]);
    },
  });
  const { alfa } = pair;

  const watched = async (context: TestContext, name: string, run: () => Promise<void>): Promise<Call[]> => {
    const strace = await Strace.attach(alfa.pid ?? 0, files.path(name));
    if (typeof strace === 'string') {
      if (process.env.CERALACCA_REQUIRE_ALL === '1') assert.fail(strace);
      context.skip(strace);
      return [];
    }
    await run().finally(() => undefined);
    return strace.end();
  };

  const submit = async (body: string): Promise<void> => {
    const { address, password } = alfa.account('anna');
    const to = [alfa.address('aldo')];
    const client = await SmtpClient.open(alfa.server(587), 'none');
    await client.login(address, password);
    const { line } = await client.send({ from: address, to, content: letter({ from: address, to, body }) });
    assert.match(line, /^250 2\.0\.0 /);
    client.close();
  };

  for (const [size, body] of [
    ['small', 'Buongiorno.\r\n'],
    ['large', `${'x'.repeat(70)}\r\n`.repeat(4000)],
  ] as const) {
    await step(t, pair, `250 after a ${size} message`, async (context) => {
      const calls = await watched(context, size, () => submit(body));
      if (calls.length > 0) assert.equal(syncFault(calls, promises[size]), undefined);
    });
  }

  await step(t, pair, '+OK after QUIT', async (context) => {
    await settled(pair);
    const { address, password } = alfa.account('aldo');
    const dialogue = await Dialogue.open(pop3, { tls: false });
    await dialogue.hear();
    for (const line of [`USER ${address}`, `PASS ${password}`, 'DELE 1', 'DELE 2']) {
      assert.match(await dialogue.ask(line), /^\+OK/);
    }
    const calls = await watched(context, 'quit', async () => {
      assert.match(await dialogue.ask('QUIT'), /^\+OK/);
    });
    if (calls.length > 0) assert.equal(syncFault(calls, promises.quit), undefined);
  });

  await step(t, pair, 'OK after APPEND, STORE and EXPUNGE', async (context) => {
    await settled(pair);
    const client = await ImapClient.open({ ...alfa.server(993), port: imap }, alfa.account('anna'), false);
    const said = async (name: keyof typeof promises, run: () => Promise<Answered>): Promise<void> => {
      const calls = await watched(context, name, async () => assert.match((await run()).status, /^OK/));
      if (calls.length > 0) assert.equal(syncFault(calls, promises[name]), undefined, name);
    };
    const message = (body: string) => Buffer.from(`Subject: bozza\r\n\r\n${body}fine.\r\n`);
    await said('append', () => client.send('APPEND Bozze', message('')));
    await said('large append', () =>
      client.send('APPEND Bozze', message(`${'x'.repeat(70)}\r\n`.repeat(4000))),
    );
    await client.ask('SELECT Bozze');
    await said('store', () => client.try('UID STORE 1:* +FLAGS.SILENT ($Inviata)'));
    await client.ask('STORE 1 +FLAGS (\\Deleted)');
    await said('expunge', () => client.try('EXPUNGE'));
    client.close();
  });
});

describe('the checker finds lacking', () => {
  const promise = { ...DATA, synced: [{ file: /toy\.log$/, written: true }] };

  for (const [manner, verdict] of [
    ['prudent', undefined],
    ['hasty', '/toy\\.log$/ was not synced before the answer'],
  ] as const) {
    it(`a ${manner} server: ${verdict ?? 'nothing'}`, { skip: needs('strace') }, async (t) => {
      const files = scratch();
      t.after(() => files.remove());
      const program = fileURLToPath(new URL('./toy-server.js', import.meta.url));
      const server = spawn(process.execPath, [program, files.path('toy.log'), manner], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      t.after(() => server.kill());
      const [port] = await once(createInterface({ input: server.stdout }), 'line');
      const strace = await Strace.attach(server.pid ?? 0, files.path('trace'));
      if (typeof strace === 'string') return t.skip(strace);
      const socket = connect({ host: '127.0.0.1', port: Number(port) });
      socket.write('Buongiorno\r\n.\r\n');
      await once(socket, 'data');
      // The hasty one syncs now, too late.
      socket.destroy();
      assert.equal(syncFault(await strace.end(), promise), verdict);
    });
  }

  const heard = '10 read(20<socket:[7]>, "Ciao\\r\\n.\\r\\n", 65536) = 9';
  const wrote = '11 pwrite64(9</x/toy.log>, "Ciao", 4, 0) = 4';
  const answer = '10 write(20<socket:[7]>, "250 2.0.0 id@pec", 16) = 16';
  const sync = ['11 fdatasync(9</x/toy.log> <unfinished ...>', '11 <... fdatasync resumed>) = 0'] as const;
  const cases: readonly (readonly [string, readonly string[], string | undefined])[] = [
    ['nothing', [heard, wrote, ...sync, answer], undefined],
    ['an answer while the sync is under way', [heard, wrote, sync[0], answer, sync[1]], 'not synced'],
    ['a sync before the write', [heard, ...sync, wrote, answer], 'not synced'],
    ['a sync of what was there before', [wrote, heard, ...sync, answer], 'nothing was written'],
    ['a sync of another file', [heard, wrote, '11 fsync(8</x/other>) = 0', answer], 'not synced'],
    ['a sync that failed', [heard, wrote, '11 fsync(9</x/toy.log>) = -1 EIO (I/O)', answer], 'not synced'],
    [
      'an answer whose call is still open at the end',
      [heard, wrote, ...sync, '10 write(20<socket:[7]>, "250 2.0.0 id@pec", 16 <unfinished ...>'],
      undefined,
    ],
    ['a sync still open at the end', [heard, wrote, sync[0], answer], 'not synced'],
    ['no answer', [heard, wrote, ...sync], 'no answer'],
    ['an answer to something else', [answer, heard, wrote, ...sync], 'no answer'],
  ];
  for (const [what, lines, words] of cases) {
    it(what, () => {
      const fault = syncFault(parseTrace(lines.join('\n')), promise);
      if (words === undefined) assert.equal(fault, undefined);
      else assert.match(fault ?? 'no fault', new RegExp(words));
    });
  }
});
