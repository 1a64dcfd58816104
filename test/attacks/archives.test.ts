/**
 * Archives that unpack to more than anybody looks at, towards the real clamd: what it does not unpack to the end is no "clean"
 * where it was told to say so, a limit that is set too small is no virus, and it goes on answering.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ClamdAntivirus } from '../../src/antivirus/clamd.js';
import { measureReach, trustsArchives } from '../../src/antivirus/index.js';
import { Rope } from '../../src/rope/index.js';
import { letter } from '../e2e/letters.js';
import { courseOf, eventually, untilCleared } from '../faults/watching.js';
import { runningClamd } from '../support/clamd.js';
import { EICAR } from '../support/eicar.js';
import { type Pair, settled, step, twoGestori } from '../support/gestore.js';
import { labels } from '../support/notices.js';
import { scratch } from '../support/openssl.js';
import { needs } from '../support/programs.js';

const skip = needs('clamd') || needs('python3');
const MIB = 1024 * 1024;

function gzipped(bytes: Uint8Array, levels: number): Buffer {
  let packed = Buffer.from(bytes);
  for (let level = 0; level < levels; level += 1) packed = gzipSync(packed);
  return packed;
}

const ZIPS = `
import io, sys, zipfile
eicar = sys.argv[2].encode()
def packed(*entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries: archive.writestr(name, data)
    return out.getvalue()
def nested(depth):
    data = eicar
    for level in range(depth): data = packed(('inside.zip', data))
    return data
def encrypted():
    data = bytearray(packed(('eicar.com', eicar[::-1])))
    # The mark of an encrypted member, in its own header and in the directory's; its content is rubbish to whoever reads it.
    data[6] |= 1
    data[data.rindex(b'PK\\x01\\x02') + 8] |= 1
    return bytes(data)
makers = {
    'nested 5 deep': lambda: nested(5),
    'nested 30 deep': lambda: nested(30),
    'of empty names': lambda: packed(*[('d/' * 200 + str(i), b'') for i in range(20)]),
    'of 15,000 files': lambda: packed(*[(str(i), b'x') for i in range(15000)], ('eicar.com', eicar)),
    'encrypted': encrypted,
}
for index, (name, make) in enumerate(makers.items()):
    open(f'{sys.argv[1]}/{index}', 'wb').write(make())
    print(name)
`;

interface Archives {
  readonly [what: string]: Buffer;
}

/** Each holds the test file, at its bottom or its end; the encrypted one excepted, and the one of directories. */
function archives(): Archives {
  const files = scratch();
  try {
    const run = spawnSync('python3', ['-c', ZIPS, files.path('.'), EICAR], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    const zips = run.stdout
      .trim()
      .split('\n')
      .map((name, index) => [`zip ${name}`, readFileSync(files.path(String(index)))] as const);
    return {
      ...Object.fromEntries(zips),
      'gzip nested 5 deep': gzipped(Buffer.from(EICAR), 5),
      'gzip nested 200 deep': gzipped(Buffer.from(EICAR), 200),
      'gzip of 40 MB of zeros': gzipped(Buffer.concat([Buffer.alloc(40 * MIB), Buffer.from(EICAR)]), 2),
    };
  } finally {
    files.remove();
  }
}

/** A message with the archive attached. */
function carrying(archive: Buffer, from: string, to: string): Buffer {
  const base64 = archive.toString('base64').replace(/.{76}/g, '$&\r\n');
  return letter({
    from,
    to: [to],
    subject: 'allegato',
    fields: ['MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary="parti"'],
    body: `--parti\r\n\r\ntesto\r\n--parti\r\nContent-Type: application/octet-stream; name="a.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64}\r\n--parti--\r\n`,
  });
}

const LIMIT = /^Heuristics\.Limits\.Exceeded/;
const VIRUS = /^Test\.EICAR/;
const CLEAN = 'clean';
/** What clamd finds when it tells of its limits. */
const expected: Readonly<Record<string, RegExp | typeof CLEAN>> = {
  'zip nested 5 deep': VIRUS,
  'zip nested 30 deep': LIMIT,
  'zip of empty names': CLEAN,
  'zip of 15,000 files': LIMIT,
  'zip encrypted': CLEAN,
  'gzip nested 5 deep': VIRUS,
  'gzip nested 200 deep': LIMIT,
  'gzip of 40 MB of zeros': LIMIT,
};
/** Octets an archived file may have: what is larger, clamd does not look at. */
const telling = { AlertExceedsMax: 'yes', MaxFileSize: '16M', StreamMaxLength: '16M', MaxScanSize: '64M' };

suite('archives, clamd asked directly', { skip }, () => {
  test('each gets its answer, and the next message its own', async (t) => {
    const clamd = await runningClamd(t, telling);
    const scanner = new ClamdAntivirus(clamd.address);
    const made = archives();
    assert.deepEqual(Object.keys(made).sort(), Object.keys(expected).sort());
    for (const [what, archive] of Object.entries(made)) {
      const message = Rope.of(carrying(archive, 'a@pec.alfa.example', 'b@pec.beta.example'));
      const { virus } = await scanner.scan(message);
      const wanted = expected[what];
      if (wanted === CLEAN) assert.equal(virus, null, what);
      else assert.match(virus ?? CLEAN, wanted ?? assert.fail(what), what);
      assert.equal((await scanner.scan(Rope.of('Subject: x\r\n\r\nx'))).virus, null, what);
      assert.match((await scanner.scan(Rope.of(EICAR))).virus ?? CLEAN, VIRUS, what);
    }
    assert.equal(await trustsArchives(scanner), false);
  });

  test('as it comes, clamd calls clean what it did not unpack: that is found out', async (t) => {
    const scanner = new ClamdAntivirus((await runningClamd(t)).address);
    assert.equal(await trustsArchives(scanner), true);
  });

  test('with AlertEncrypted a password is what it is refused for', async (t) => {
    const scanner = new ClamdAntivirus((await runningClamd(t, { AlertEncrypted: 'yes' })).address);
    const archive = archives()['zip encrypted'] ?? assert.fail('no archive');
    assert.match((await scanner.scan(Rope.of(archive))).virus ?? CLEAN, /^Heuristics\.Encrypted\.Zip/);
  });

  test('a message over a limit is told from one that is infected', async (t) => {
    const clamd = await runningClamd(t, { ...telling, MaxFileSize: '1M' });
    const reach = await measureReach(new ClamdAntivirus(clamd.address), 4 * MIB);
    assert.equal(reach.kind, 'alarmed');
  });
});

test('archives at a server that runs', { skip }, async (t) => {
  const [near, far] = [await runningClamd(t, telling), await runningClamd(t, telling)];
  const config = (address: string) => ({
    'limits.message_size': '3MB',
    'limits.hard_size': '4MB',
    'limits.incoming_size': '6MB',
    antivirus: `{clamd: "${address}"}`,
  });
  const pair = await twoGestori(t, {
    alfa: { config: config(near.address) },
    beta: { config: config(far.address) },
  });
  const { alfa, beta } = pair;
  const made = archives();

  for (const [what, wanted] of Object.entries(expected)) {
    const accepted = wanted === CLEAN;
    await step(
      t,
      pair,
      `${what}: ${accepted ? 'accepted and delivered' : 'a non-accettazione'}`,
      async () => {
        const { told, delivered } = await fateOf(pair, made[what] ?? assert.fail(what));
        assert.deepEqual(
          told,
          accepted
            ? ['accettazione', 'avvenuta-consegna bruno@pec.beta.example']
            : ['non-accettazione/virus'],
        );
        assert.equal(delivered, accepted ? 1 : 0);
      },
    );
  }

  await step(
    t,
    pair,
    'a clamd that says nothing of its limits lets it out; the receiving one stops it',
    async () => {
      await near.stop();
      await near.start({ ...telling, AlertExceedsMax: 'no' });
      assert.match((await alfa.try(['doctor'])).out, /calls clean the archives.*AlertExceedsMax/);
      const { told, delivered } = await fateOf(pair, made['gzip nested 200 deep'] ?? assert.fail());
      assert.equal(told[0], 'accettazione');
      assert.ok(!told.some((label) => label.startsWith('avvenuta-consegna')), told.join());
      assert.equal(delivered, 0);
    },
  );

  await step(t, pair, 'a limit set too small: large mail waits, and nobody is told of a virus', async () => {
    const large = Buffer.alloc(1.5 * MIB, 'testo ');
    await near.stop();
    await near.start({ ...telling, MaxFileSize: '1M' });
    const before = (await alfa.inbox('anna').messages()).length;
    const content = carrying(large, alfa.account('anna').address, beta.address('bruno'));
    const { line } = await alfa.submit(alfa.account('anna'), { to: [beta.address('bruno')], content });
    assert.match(line, /^451 4\.3\.0 /);
    assert.equal((await alfa.inbox('anna').messages()).length, before);
    assert.ok(courseOf(alfa, 'antivirus-limit').includes('raised'));
    const { told } = await fateOf(pair, Buffer.from('niente'));
    assert.equal(told[0], 'accettazione');
    await near.stop();
    await near.start(telling);
    await untilCleared(alfa, 'antivirus-limit');
    assert.equal((await fateOf(pair, large)).delivered, 1);
    assert.doesNotMatch((await alfa.try(['doctor'])).out, /AlertExceedsMax/);
  });
});

/** What anna is told about an archive she sends to bruno, and how many messages he finds. */
async function fateOf(pair: Pair, archive: Buffer): Promise<{ told: string[]; delivered: number }> {
  const { alfa, beta } = pair;
  const [told, found] = [alfa.inbox('anna'), beta.inbox('bruno')];
  const [before, had] = [(await told.messages()).length, (await found.messages()).length];
  const account = alfa.account('anna');
  const content = carrying(archive, account.address, beta.address('bruno'));
  assert.match((await alfa.submit(account, { to: [beta.address('bruno')], content })).line, /^250 /);
  await eventually('anna has her answer', async () => (await told.messages()).length > before);
  await settled(pair);
  return {
    told: labels((await told.messages()).slice(before)),
    delivered: (await found.messages()).length - had,
  };
}
