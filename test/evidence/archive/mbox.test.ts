import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { type EvidenceReport, readTrust, verifyEvidence } from '../../../src/evidence/index.js';
import { nodeCrypto } from '../../../src/smime/index.js';
import { scratch } from '../../support/openssl.js';
import { needs } from '../../support/programs.js';
import { runProgram } from '../../support/run-program.js';
import { envelope, NOW, original, reasonsOf, remarksOf, sealed, type World, world } from '../world.js';
import { itemsOf, mail, shown, slowly, textsOf } from './items.js';

let w: World;
before(async () => {
  w = await world();
});

/** A message with lines that a mailbox marks; CRLF becomes LF, as mailboxes have it. */
const saved = async (...text: string[]): Promise<string> =>
  (await sealed(await envelope(w.pki.alfa, original(...text)), w.pki.alfa.signer))
    .toString('latin1')
    .replaceAll('\r\n', '\n');

const mboxOf = (...messages: string[]): Buffer =>
  Buffer.from(messages.map((text) => `From - Thu Nov 26 10:00:00 2026\n${text}\n\n`).join(''), 'latin1');

const rd = (text: string): string => text.replace(/^(>*From )/gm, '>$1');
const o = (text: string): string => text.replace(/^From /gm, '>From ');

async function reports(mbox: Buffer): Promise<EvidenceReport[]> {
  const trust = await readTrust(w.folder, { crypto: nodeCrypto, now: NOW });
  const all: EvidenceReport[] = [];
  for (const item of await itemsOf(mbox, { name: 'posta.mbox' })) {
    assert.equal(item.kind, 'message');
    if (item.kind !== 'message') continue;
    const { name: file, bytes, fromMbox } = item;
    all.push(await verifyEvidence({ file, bytes, fromMbox, trust, crypto: nodeCrypto, now: NOW }));
  }
  return all;
}

describe('a mailbox', () => {
  it('is known by its octets, and gives its messages', async () => {
    const texts = ['a', 'b', 'c'].map((subject) => mail(subject, 'testo').toString('latin1'));
    for (const [from, separator] of [
      ['From a@b.example Thu Nov 26 10:00:00 2026', '\n'],
      ['From - ', '\r\n'],
      ['From ', '\n'],
    ] as const) {
      const bytes = Buffer.from(texts.map((text) => `${from}${separator}${text}\r\n`).join(''), 'latin1');
      for (const step of [1, 7, 4096]) {
        const items = await itemsOf(slowly(bytes, step));
        assert.deepEqual(shown(items), ['a > 1: message', 'a > 2: message', 'a > 3: message']);
        assert.deepEqual(textsOf(items), texts);
      }
    }
  });

  it('is not divided by a line in a paragraph, nor by one that no header follows', async () => {
    const text = 'Subject: x\nFrom: a\n\nuno\nFrom due\nX: y\n\nFrom tre a quattro\ncinque\n\nFrom: sei\n';
    const items = await itemsOf(Buffer.from(`From x\n${text}`));
    assert.deepEqual(textsOf(items), [text]);
  });

  it('is no mailbox without a header after its first line, or with one too long', async () => {
    for (const text of ['From me\nhello\n', `From ${'x'.repeat(1024)}\nSubject: x\n\n`]) {
      assert.deepEqual(shown(await itemsOf(Buffer.from(text))), ['a: message']);
    }
    assert.deepEqual(shown(await itemsOf(Buffer.from(`From ${'x'.repeat(1018)}\nSubject: x\n\n`))), [
      'a > 1: message',
    ]);
  });

  it('of any texts comes back as they were, whatever the pieces it is read in', async () => {
    const line = fc.constantFrom('', 'From', '>From ', 'x', 'From: y', '\r', 'testo lungo '.repeat(20));
    const body = fc
      .array(line, { maxLength: 12 })
      .map((lines) => ['Subject: x', '', ...lines, 'fine', ''].join('\n'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(body, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 5000 }),
        async (texts, step) => {
          const bytes = Buffer.from(texts.map((text) => `From x\n${text}\n`).join(''), 'latin1');
          assert.deepEqual(textsOf(await itemsOf(slowly(bytes, step))), texts);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('throws nothing and loses no octet, whatever the octets', async () => {
    const piece = fc.constantFrom('From ', '\n', '\r\n', '\n\n', 'X: y', '>', 'x', '\0', 'PK\x03\x04');
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        async (pieces, step) => {
          const bytes = Buffer.from(`From x\nX: y\n${pieces.join('')}`, 'latin1');
          const texts = textsOf(await itemsOf(slowly(bytes, step)));
          assert.deepEqual(textsOf(await itemsOf(bytes)), texts);
          let at = 0;
          for (const text of texts) {
            at = bytes.indexOf(text, at, 'latin1');
            assert.ok(at >= 0);
            at += text.length;
          }
          assert.match(bytes.toString('latin1', at), /^(?:\r?\n)?$/);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a message of a mailbox whose lines were marked', () => {
  const lines = ['Gentile collega,', '', 'From Roma a Milano', '>From Milano a Roma', 'saluti'];
  const FROM_LINE = lines.slice(0, 3);

  it('is PROVEN as it stands where nothing was marked', async () => {
    const [report] = await reports(mboxOf(await saved('>From Roma', 'saluti')));
    assert.equal(report?.verdict, 'PROVEN');
    assert.equal(report?.file, 'posta.mbox > 1');
    assert.deepEqual(
      remarksOf(report).filter((code) => code.startsWith('mbox')),
      [],
    );
  });

  it('is PROVEN without the marks of mboxrd or of mboxo, and says which', async () => {
    for (const [text, quoting] of [
      [rd(await saved(...lines)), 'mboxrd'],
      [rd(await saved(...FROM_LINE)), 'mboxrd'],
      [o(await saved(...FROM_LINE)), 'mboxrd'],
      [o(await saved('From Roma', '>>From Milano', 'saluti')), 'mboxo'],
    ] as const) {
      const all = await reports(mboxOf(text, await saved('altro')));
      assert.deepEqual(
        all.map(({ verdict }) => verdict),
        ['PROVEN', 'PROVEN'],
      );
      assert.match(
        all[0]?.remarks.find(({ code }) => code === 'mbox-unquoted')?.it ?? '',
        new RegExp(quoting),
      );
      assert.deepEqual(
        all[1]?.remarks.filter(({ code }) => code.startsWith('mbox')),
        [],
      );
    }
  });

  it('says that the mailbox may be to blame where no way fits', async () => {
    const [report] = await reports(mboxOf(o(await saved(...lines))));
    assert.equal(report?.verdict, 'REFUTED');
    assert.ok(report && remarksOf(report).includes('mbox-quoting-unclear'));
  });

  it('blames no mailbox for another change', async () => {
    const [report] = await reports(mboxOf((await saved('testo')).replace('testo', 'altro')));
    assert.ok(report && reasonsOf(report).includes('altered'));
    assert.deepEqual(
      remarksOf(report).filter((code) => code.startsWith('mbox')),
      [],
    );
  });
});

const SCRIPT = `
import mailbox, sys
box = mailbox.mbox(sys.argv[1])
for file in sys.argv[2:]:
    box.add(open(file, 'rb').read())
box.flush()
sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())
`;

describe('a mailbox of Python', { skip: needs('python3') }, () => {
  it('proves what was put into it', async () => {
    const files = scratch();
    try {
      const a = files.write('a.eml', Buffer.from(await saved('uno', '', 'From Roma', 'X: y'), 'latin1'));
      const b = files.write('b.eml', Buffer.from(await saved('due'), 'latin1'));
      const all = await reports(await runProgram('python3', ['-c', SCRIPT, files.path('posta'), a, b, a]));
      assert.deepEqual(
        all.map(({ verdict }) => verdict),
        ['PROVEN', 'PROVEN', 'PROVEN'],
      );
      assert.ok(all[0] && remarksOf(all[0]).includes('mbox-unquoted'));
    } finally {
      files.remove();
    }
  });
});
