import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { QuarantineKeyError, QuarantineKeys, SealBroken } from '../../src/antivirus/index.js';
import { OVERHEAD, opened, sealed } from '../../src/antivirus/quarantine/sealing.js';
import { Rope } from '../../src/rope/index.js';
import { scratch } from '../support/openssl.js';
import { sourceOf } from '../support/ropes.js';

const work = scratch();
after(() => work.remove());

const key = QuarantineKeys.parse(Buffer.alloc(32, 1).toString('base64'), 'k').current;
const other = QuarantineKeys.parse(Buffer.alloc(32, 2).toString('base64'), 'k').current;

async function all(stream: AsyncGenerator<Buffer, unknown, undefined>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('quarantine: sealing', () => {
  it('what was sealed opens to the same bytes, whatever they are and however they lie', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (bytes) => {
        const message = Rope.of('x', sourceOf(Buffer.from(bytes)));
        const ciphertext = await all(sealed(message, 'id', key));
        assert.equal(ciphertext.length, message.length + OVERHEAD);
        assert.deepEqual(await all(opened(Rope.of(ciphertext), 'id', key)), await message.bytes());
      }),
    ));

  it('another key, another entry, a changed, cut or lengthened ciphertext does not open', async () => {
    const ciphertext = await all(sealed(Rope.of(randomBytes(1000)), 'id', key));
    const refused = (bytes: Buffer, id = 'id', by = key) =>
      assert.rejects(all(opened(Rope.of(bytes), id, by)), SealBroken);
    await refused(ciphertext, 'id', other);
    await refused(ciphertext, 'altro');
    for (const at of [0, 12, 500, ciphertext.length - 1]) {
      const changed = Buffer.from(ciphertext);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      await refused(changed);
    }
    for (const length of [0, OVERHEAD - 1, OVERHEAD, ciphertext.length - 1])
      await refused(ciphertext.subarray(0, length));
    await refused(Buffer.concat([ciphertext, Buffer.alloc(1)]));
  });
});

describe('quarantine: keys', () => {
  it('the file is made once, 0600, and read the same by everybody who starts at once', async () => {
    const file = work.path('in/there/quarantine.key');
    const opened = await Promise.all(Array.from({ length: 5 }, () => QuarantineKeys.open(file)));
    assert.equal(new Set(opened.map(({ current }) => current.id)).size, 1);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(work.path('in/there')), ['quarantine.key'], 'nothing is left over');
    const text = readFileSync(file, 'utf8');
    await QuarantineKeys.open(file);
    assert.equal(readFileSync(file, 'utf8'), text);
  });

  it('a new key on top seals, the old ones still open', async () => {
    const [old, fresh] = [randomBytes(32), randomBytes(32)];
    const before = QuarantineKeys.parse(old.toString('base64'), 'k');
    const after = QuarantineKeys.parse(
      `# 2027\n${fresh.toString('base64')}\n\n${old.toString('base64')}\n`,
      'k',
    );
    assert.notEqual(after.current.id, before.current.id);
    assert.deepEqual(after.find(before.current.id)?.secret, old);
    assert.equal(before.find(after.current.id), undefined);
  });

  it('what is no file of keys is refused, saying what is wrong and nothing of the key', async () => {
    const half = randomBytes(16).toString('base64');
    for (const [text, reason] of [
      ['', /has no key/],
      ['# only words\n', /has no key/],
      [`${half}\n`, /a line is no key/],
      [`${randomBytes(32).toString('base64')}\nnonsense\n`, /a line is no key/],
    ] as const) {
      const file = work.write(`keys${text.length}`, text);
      await assert.rejects(QuarantineKeys.open(file), (error) => {
        assert.ok(error instanceof QuarantineKeyError);
        assert.match(error.message, reason);
        assert.ok(!error.message.includes(half));
        return true;
      });
    }
    await assert.rejects(QuarantineKeys.read(work.path('none')), /cannot be read/);
    writeFileSync(work.path('file'), '');
    await assert.rejects(QuarantineKeys.open(work.path('file/quarantine.key')), QuarantineKeyError);
  });

  it('a file that others may read is told', async () => {
    mkdirSync(work.path('open'));
    const file = work.path('open/quarantine.key');
    assert.deepEqual((await QuarantineKeys.open(file)).warnings, []);
    chmodSync(file, 0o640);
    assert.match((await QuarantineKeys.open(file)).warnings.join(), /mode 0640, must be 0600/);
  });
});
