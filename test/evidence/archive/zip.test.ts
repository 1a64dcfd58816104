import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { strToU8, type Zippable, zipSync } from 'fflate';
import { Rope } from '../../../src/rope/index.js';
import { needs } from '../../support/programs.js';
import { runProgram } from '../../support/run-program.js';
import { itemsOf, mail, shown, slowly, textsOf } from './items.js';

const zip = (files: Zippable): Buffer => Buffer.from(zipSync(files));

/** The archive with an octet of a member's directory record changed. */
function changed(archive: Buffer, field: number, value: number, local?: number): Buffer {
  const bytes = Buffer.from(archive);
  bytes[bytes.indexOf('PK\x01\x02', 0, 'latin1') + field] = value;
  if (local !== undefined) bytes[bytes.indexOf('PK\x03\x04', 0, 'latin1') + local] = value;
  return bytes;
}

describe('a ZIP file', () => {
  it('is known by its octets, and gives every message in the order of its directory', async () => {
    const bytes = zip({
      'b.eml': mail('b'),
      anno: { '2026': { 'a.eml': [mail('a'), { level: 0 }] } },
      'senza-nome': mail('c'),
      'LEGGIMI.txt': strToU8('Le ricevute: tutte.'),
      '__MACOSX/._b.eml': strToU8('\0\0'),
      vuota: {},
    });
    for (const rope of [Rope.of(bytes), slowly(bytes, 1), slowly(bytes, 50)]) {
      const items = await itemsOf(rope, { name: 'archivio.dat' });
      assert.deepEqual(shown(items), [
        'archivio.dat > b.eml: message',
        'archivio.dat > anno/2026/a.eml: message',
        'archivio.dat > senza-nome: message',
        'archivio.dat > LEGGIMI.txt: other',
      ]);
      assert.deepEqual(textsOf(items), [mail('b'), mail('a'), mail('c')].map(String));
    }
  });

  it('holds nothing when it is empty, and is damaged when it was cut short or is none', async () => {
    assert.deepEqual(await itemsOf(zip({})), []);
    const whole = zip({ 'a.eml': mail(), 'b.eml': mail() });
    for (let end = 4; end < whole.length; end += 1) {
      const [first, ...others] = shown(await itemsOf(whole.subarray(0, end)));
      assert.deepEqual([first, others.length], ['a: archive-damaged', 0], `${end}`);
    }
    assert.deepEqual(shown(await itemsOf(Buffer.from('altro'), { name: 'a.zip' })), [
      'a.zip: archive-damaged',
    ]);
  });

  it('tells odd members, and goes on', async () => {
    const whole = zip({ 'a.eml': [mail('a', 'testo '.repeat(40)), {}], 'b.eml': mail('b') });
    for (const [bytes, oddity] of [
      [changed(whole, 8, 1, 6), 'encrypted'],
      [changed(whole, 10, 12, 8), 'method'],
      [changed(whole, 16, 0), 'damaged'],
      [changed(whole, 24, 1), 'damaged'],
      [changed(whole, 20, 1), 'damaged'],
      [changed(whole, 42, 1), 'damaged'],
      [changed(whole, 46, 0x2f), 'names-differ'],
    ] as const) {
      const items = await itemsOf(bytes);
      assert.match(shown(items)[0] ?? '', new RegExp(`: ${oddity}$`));
      assert.deepEqual(shown(items).slice(1), ['a > b.eml: message'], oddity);
    }
  });

  it('is read in archives and mailboxes inside, to a depth', async () => {
    const inner = zip({ 'a.eml': mail(), mbox: Buffer.concat([Buffer.from('From x\n'), mail()]) });
    const three = zip({ 'c.zip': zip({ 'b.zip': inner }) });
    assert.deepEqual(shown(await itemsOf(zip({ 'b.zip': inner }))), [
      'a > b.zip > a.eml: message',
      'a > b.zip > mbox > 1: message',
    ]);
    assert.deepEqual(shown(await itemsOf(three)), [
      'a > c.zip > b.zip > a.eml: message',
      'a > c.zip > b.zip > mbox: depth',
    ]);
  });

  it('names a .msg of Outlook, which proves nothing, as something that was not judged', async () => {
    const msg = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)]);
    assert.deepEqual(shown(await itemsOf(zip({ 'a.msg': msg }))), ['a > a.msg: outlook']);
    assert.deepEqual(shown(await itemsOf(msg)), ['a: outlook']);
  });
});

describe('the limits of an archive', () => {
  const octets = mail().length;

  it('a message may be as long as the limit, and not an octet longer', async () => {
    const archive = zip({ 'a.eml': mail() });
    for (const file of [archive, mail()]) {
      assert.match(shown(await itemsOf(file, { messageOctets: octets }))[0] ?? '', /: message$/);
      assert.match(shown(await itemsOf(file, { messageOctets: octets - 1 }))[0] ?? '', /: too-large$/);
    }
  });

  it('all members together too; what is beyond is not looked at', async () => {
    const archive = zip({ 'a.eml': mail(), 'b.eml': mail() });
    assert.deepEqual(shown(await itemsOf(archive, { totalOctets: 2 * octets })), [
      'a > a.eml: message',
      'a > b.eml: message',
    ]);
    assert.deepEqual(shown(await itemsOf(archive, { totalOctets: 2 * octets - 1 })), [
      'a > a.eml: message',
      'a: total',
    ]);
    const nested = zip({ 'i.zip': [archive, { level: 0 }] });
    const most = archive.length + 2 * octets;
    assert.deepEqual(shown(await itemsOf(nested, { totalOctets: most })).length, 2);
    assert.deepEqual(shown(await itemsOf(nested, { totalOctets: most - 1 })).at(-1), 'a > i.zip: total');
  });

  it('so many members', async () => {
    const archive = zip({ 'a.eml': mail(), 'b.eml': mail(), 'c.eml': mail() });
    assert.equal((await itemsOf(archive, { members: 3 })).length, 3);
    assert.deepEqual(shown(await itemsOf(archive, { members: 2 })).at(-1), 'a: members');
    const mbox = Buffer.concat([1, 2, 3].map(() => Buffer.concat([Buffer.from('From x\n'), mail()])));
    assert.equal(shown(await itemsOf(mbox, { members: 3 })).at(-1), 'a > 3: message');
    assert.equal(shown(await itemsOf(mbox, { members: 2 })).at(-1), 'a: members');
  });

  it('a bomb that lies about its size gives no more than it announces', async () => {
    const bomb = zip({ 'a.eml': Buffer.concat([mail(), Buffer.alloc(64 * 1024 * 1024)]) });
    const small = changed(changed(changed(bomb, 25, 1), 26, 0), 27, 0);
    assert.deepEqual(shown(await itemsOf(small)), ['a > a.eml: damaged']);
    assert.deepEqual(shown(await itemsOf(bomb, { messageOctets: 1024 * 1024 })), ['a > a.eml: too-large']);
  });
});

describe('whatever the octets', () => {
  it('nothing is thrown, and nothing given that was not put in', async () => {
    const files = { 'a.eml': mail('a', 'testo '.repeat(40)), 'b.eml': mail('b'), 'c.eml': mail('c') };
    const whole = zip(files);
    const genuine = Object.values(files).map(String);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(whole.length),
        async (changes, end) => {
          const bytes = Buffer.from(whole);
          for (const [at, octet] of changes) bytes[at] = octet;
          const cut = end % 3 === 0 ? bytes.subarray(0, end) : bytes;
          const items = await itemsOf(cut, { name: 'a.zip' });
          // What begins otherwise than a ZIP is a message of its own.
          if (items.some(({ name }) => name === 'a.zip')) return;
          for (const text of textsOf(items)) assert.ok(genuine.includes(text));
        },
      ),
      { numRuns: 500 },
    );
  });
});

const SCRIPT = `
import io, sys, zipfile
kind = sys.argv[1]
class Pipe(io.RawIOBase):
    def writable(self): return True
    def write(self, octets): sys.stdout.buffer.write(octets); return len(octets)
method = zipfile.ZIP_BZIP2 if kind == 'bzip2' else zipfile.ZIP_DEFLATED
with zipfile.ZipFile(Pipe(), 'w', method) as archive:
    archive.comment = b'un commento'
    with archive.open('per\\u00f2/a.eml', 'w', force_zip64=kind == 'zip64') as member:
        member.write(b'Subject: x\\r\\nFrom: a@b.example\\r\\n\\r\\n')
    if kind == 'many':
        for number in range(66000): archive.writestr(f'{number}.eml', 'Subject: x\\nFrom: a\\n\\n')
`;

describe('archives of Python', { skip: needs('python3') }, () => {
  const made = (kind: string): Promise<Buffer> => runProgram('python3', ['-c', SCRIPT, kind]);

  it('with sizes after the data, a comment, ZIP64, a name in UTF-8', async () => {
    for (const kind of ['stream', 'zip64']) {
      const items = await itemsOf(await made(kind));
      assert.deepEqual(shown(items), ['a > però/a.eml: message']);
      assert.deepEqual(textsOf(items), [String(mail())]);
    }
  });

  it('with a method that is not read', async () => {
    assert.deepEqual(shown(await itemsOf(await made('bzip2'))), ['a > però/a.eml: method']);
  });

  it('with more members than the narrow directory can count', async () => {
    const items = await itemsOf(await made('many'));
    assert.equal(items.length, 66001);
    assert.ok(items.every(({ kind }) => kind === 'message'));
  });
});
