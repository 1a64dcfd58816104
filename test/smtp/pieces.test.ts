import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  cleanSpool,
  isAddress,
  keep,
  receivedField,
  replyFor,
  SmtpError,
  spool,
} from '../../src/smtp/index.js';
import { parsePathCommand } from '../../src/smtp/path.js';
import { type Reply, ReplyParser } from '../../src/smtp/reply.js';

describe('addresses and their parameters', () => {
  const parsed = (line: string) => {
    const path = parsePathCommand(line);
    return path === undefined ? undefined : [path.address, Object.fromEntries(path.parameters)];
  };

  it('are read as RFC 5321 4.1.2 writes them', () => {
    assert.deepEqual(parsed('<>'), ['', {}]);
    assert.deepEqual(parsed('<Anna.Rossi@Pec.Alfa.Example> SIZE=10 body=8BITMIME'), [
      'Anna.Rossi@Pec.Alfa.Example',
      { SIZE: '10', BODY: '8BITMIME' },
    ]);
    assert.deepEqual(parsed('<"a > \\" b"@x.it> SMTPUTF8'), ['"a > \\" b"@x.it', { SMTPUTF8: true }]);
    assert.deepEqual(parsed('<@a.it,@b.it:c@d.it>'), ['c@d.it', {}]);
    assert.deepEqual(parsed('<Postmaster>'), ['Postmaster', {}]);
    assert.equal(parsePathCommand('<a@b.it> SIZE=1 SIZE=2')?.duplicate, 'SIZE');
  });

  it('are refused where the syntax is bad', () => {
    const bad = [
      'a@b.it',
      '<a@b.it',
      '<a b@c.it>',
      '<a@b@c.it>',
      '<a..b@c.it>',
      '<.a@c.it>',
      '<a@-c.it>',
      '<a@c..it>',
      '<@c.it>',
      '<a@>',
    ];
    for (const line of [
      ...bad,
      '<<a@b.it>>',
      '<a@b.it>SIZE=1',
      '<a@b.it> =1',
      '<a@b.it> A=',
      `<${'x'.repeat(250)}@b.it>`,
      '<a@b\u200b.it>',
    ]) {
      assert.equal(parsePathCommand(line), undefined, line);
    }
  });

  it('never carry a control character or a bracket outside quotes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.string({ unit: 'binary', maxLength: 20 }),
        (local, domain) => {
          const path = parsePathCommand(`<${local}@${domain}>`);
          if (path === undefined) return;
          assert.doesNotMatch(path.address, /[\x00-\x1f\x7f]/);
          if (!path.address.startsWith('"')) assert.doesNotMatch(path.address, /[<> ]/);
        },
      ),
    );
    assert.equal(isAddress('a@b.it\r\nRCPT TO:<c@d.it>'), false);
  });
});

describe('replies of a peer', () => {
  const read = (text: string, ...cuts: number[]): Reply[] => {
    const parser = new ReplyParser();
    const places = [0, ...cuts, text.length];
    return places
      .slice(1)
      .flatMap((end, index) => parser.push(Buffer.from(text.slice(places[index], end), 'latin1')));
  };

  it('are read whole, however they arrive', () => {
    const text = '250-2.1.5 one\r\n250 2.1.5 two\r\n550 no\n354\r\n';
    for (let cut = 0; cut <= text.length; cut++) {
      assert.deepEqual(
        read(text, cut).map(({ code, enhanced, text: words }) => [code, enhanced, words]),
        [
          [250, '2.1.5', 'one two'],
          [550, undefined, 'no'],
          [354, undefined, ''],
        ],
      );
    }
  });

  it('have an enhanced code only of their own class', () => {
    assert.equal(read('550 4.1.1 x\r\n')[0]?.enhanced, undefined);
    assert.equal(read('550 5.1.1\r\n')[0]?.enhanced, '5.1.1');
    assert.equal(read('550 5.1.10 x\r\n')[0]?.enhanced, '5.1.10');
  });

  it('are bounded', () => {
    assert.throws(() => read('x'.repeat(5000)), /too long/);
    assert.throws(() => read('250-x\r\n'.repeat(100_000)), /too long/);
    assert.throws(() => read('250-a\r\n251 b\r\n'), /changes/);
    assert.throws(() => read('hello\r\n'), /not a reply/);
  });
});

describe('our own replies', () => {
  it('are one line of ASCII', () => {
    const refusal = new SmtpError({ code: 550, enhanced: '5.7.1', publicText: 'Però\r\n250 OK \u{1f600}' });
    assert.deepEqual(replyFor(refusal), { code: 550, text: '5.7.1 Pero 250 OK ?' });
    assert.equal(replyFor('anything').code, 451);
  });

  it('a Received field takes nothing strange from the client', () => {
    const peer = {
      id: 'x1',
      helo: 'evil)\r\nX: y',
      remoteAddress: '2001:db8::1',
      protocol: 'ESMTPSA',
      tls: { version: 'TLSv1.3', cipher: 'C' },
    };
    assert.equal(
      receivedField(peer, 'mail.alfa.example', 'Sun, 22 Nov 2026 10:00:00 +0100'),
      'Received: from unknown ([IPv6:2001:db8::1])\r\n\tby mail.alfa.example (Ceralacca) with ESMTPSA id x1\r\n' +
        '\t(version=TLSv1.3 cipher=C);\r\n\tSun, 22 Nov 2026 10:00:00 +0100\r\n',
    );
  });
});

describe('the spool', () => {
  const inSpool = async (run: (dir: string) => Promise<void>): Promise<void> => {
    const dir = await mkdtemp(join(tmpdir(), 'ceralacca-spool-'));
    try {
      await run(dir);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  };
  const from = (...pieces: (string | Buffer)[]) =>
    Readable.from(pieces.map((piece) => Buffer.from(piece as string, 'latin1')));
  const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex');

  it('keeps a small message in memory', () =>
    inSpool(async (dir) => {
      const message = await spool(from('A: b\r\n', '\r\nper', 'ch\xe9\r\n'), { dir, limit: 100 });
      assert.equal(message.length, 16);
      assert.equal(message.hash, sha256('A: b\r\n\r\nperch\xe9\r\n'));
      assert.equal(message.eightBit, true);
      assert.equal(message.longestLine, 6);
      assert.equal(message.file, undefined);
      assert.equal(message.rope.segments.length, 1);
      assert.equal(message.rope.resident()?.toString('latin1'), 'A: b\r\n\r\nperch\xe9\r\n');
      assert.deepEqual(await readdir(dir), []);
    }));

  it('puts a long one in a private file, readable from any place, gone when discarded', () =>
    inSpool(async (dir) => {
      const text = `${'0123456789abcdef'.repeat(4)}\r\n`.repeat(12_000);
      const message = await spool(
        from(text.slice(0, 65_536), text.slice(65_536, 65_537), text.slice(65_537)),
        { dir, limit: 1e6 },
      );
      assert.ok(message.file !== undefined);
      assert.equal((await stat(message.file)).mode & 0o777, 0o600);
      assert.equal(await readFile(message.file, 'latin1'), text);
      assert.equal(message.hash, sha256(text));
      assert.equal(
        (await message.rope.slice(500_000, 500_010).bytes()).toString(),
        text.slice(500_000, 500_010),
      );
      assert.equal(message.rope.resident(), undefined);
      await message.discard();
      await message.discard();
      assert.deepEqual(await readdir(dir), []);
    }));

  it('makes a blob of a file', () =>
    inSpool(async (dir) => {
      const message = await spool(from(`${'x'.repeat(998)}\r\n`.repeat(100)), { dir, limit: 1e6 });
      const adopted: unknown[] = [];
      const blob = { length: 100_000, hash: message.hash, read: async () => Buffer.alloc(0) };
      const rope = await keep(message, {
        blobs: {
          adopt: async (file, hash, length) => {
            adopted.push(hash, length);
            await rename(file, join(dir, 'blob'));
            return blob;
          },
        },
      });
      await message.discard();
      assert.deepEqual(adopted, [message.hash, 100_000]);
      assert.deepEqual(rope.segments, [{ source: blob, offset: 0, length: 100_000 }]);
      assert.deepEqual(await readdir(dir), ['blob']);
    }));

  it('reports faults and keeps nothing', () =>
    inSpool(async (dir) => {
      const fault = async (text: string, limit = 1e6) => (await spool(from(text), { dir, limit })).fault;
      assert.equal(await fault('a\nb\r\n'), 'bare-lf');
      assert.equal(await fault('a\rb\r\n'), 'bare-cr');
      assert.equal(await fault('a\r\n\r'), 'bare-cr');
      assert.equal(await fault('a\0\r\n'), 'nul');
      assert.equal(await fault(`${'x'.repeat(100)}\r\n`.repeat(1000), 90_000), 'too-large');
      assert.equal(await fault('abc\r\n', 5), undefined);
      assert.equal(await fault('abc\r\n', 4), 'too-large');
      assert.deepEqual(await readdir(dir), []);
    }));

  it('leaves nothing when the stream or the disk fails, and reads the stream to its end', () =>
    inSpool(async (dir) => {
      const broken = Readable.from(
        (async function* () {
          yield Buffer.alloc(100_000, 'x');
          throw new Error('gone');
        })(),
      );
      await assert.rejects(spool(broken, { dir, limit: 1e6 }), /gone/);
      const stream = from(Buffer.alloc(100_000, 'x'), Buffer.alloc(100_000, 'y'));
      await assert.rejects(spool(stream, { dir: join(dir, 'missing'), limit: 1e6 }), /ENOENT/);
      assert.equal(stream.readableEnded, true);
      assert.deepEqual(await readdir(dir), []);
    }));

  it('is swept of what was not touched for hours: an upload of another process stays', () =>
    inSpool(async (dir) => {
      const old = join(dir, `${'0'.repeat(32)}.spool`);
      const future = join(dir, `${'1'.repeat(32)}.spool`);
      const young = join(dir, `${'2'.repeat(32)}.spool`);
      for (const file of [old, future, young, join(dir, 'mine.txt')]) await writeFile(file, 'x');
      const now = Date.now() / 1000;
      for (const [file, age] of [
        [old, 3 * 3600],
        [future, -3 * 3600],
        [young, 3600],
        [join(dir, 'mine.txt'), 3 * 3600],
      ] as const) {
        await utimes(file, now - age, now - age);
      }
      assert.equal(await cleanSpool(dir), 2);
      assert.deepEqual((await readdir(dir)).sort(), [`${'2'.repeat(32)}.spool`, 'mine.txt']);
      assert.equal(await cleanSpool(join(dir, 'new', 'deep')), 0);
    }));
});
