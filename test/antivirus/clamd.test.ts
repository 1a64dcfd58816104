import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { ClamdAntivirus } from '../../src/antivirus/clamd.js';
import { AntivirusUnavailable, watchedAntivirus } from '../../src/antivirus/index.js';
import { Rope } from '../../src/rope/index.js';
import { silentTelemetry } from '../../src/telemetry/index.js';
import { scratch } from '../support/openssl.js';
import { sourceOf } from '../support/ropes.js';

/** What clamd was told, and what it says: text, or an action on the socket. */
interface Fake {
  readonly address: string;
  /** Everything each connection sent. */
  readonly heard: Buffer[];
}

type Answer = string | ((socket: Socket, heard: Buffer) => void);

/** A clamd that answers once the end of the stream, or of the command, has come. */
async function fakeClamd(t: TestContext, answer: Answer, at?: string): Promise<Fake> {
  const heard: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    const index = heard.push(Buffer.alloc(0)) - 1;
    let answered = false;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const all = Buffer.concat([heard[index] ?? Buffer.alloc(0), chunk]);
      heard[index] = all;
      const whole =
        all.indexOf('zINSTREAM\0') === 0 ? all.subarray(-4).equals(Buffer.alloc(4)) : all.includes(0);
      if (!whole || answered) return;
      answered = true;
      if (typeof answer === 'string') socket.end(answer);
      else answer(socket, all);
    });
  });
  await new Promise<void>((resolve) =>
    at === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(at, resolve),
  );
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { heard, address: typeof address === 'object' ? `tcp://127.0.0.1:${address?.port}` : `unix:${at}` };
}

/** The message inside INSTREAM: every chunk has its length in four octets, a zero ends it (clamd(8)). */
function streamed(heard: Buffer | undefined): { bytes: Buffer; chunks: number } {
  assert.ok(heard);
  let at = 'zINSTREAM\0'.length;
  assert.equal(heard.toString('latin1', 0, at), 'zINSTREAM\0');
  const pieces: Buffer[] = [];
  for (;;) {
    const size = heard.readUInt32BE(at);
    at += 4;
    if (size === 0) break;
    pieces.push(heard.subarray(at, at + size));
    at += size;
  }
  assert.equal(at, heard.length, 'nothing after the end');
  return { bytes: Buffer.concat(pieces), chunks: pieces.length };
}

const unavailable = { name: 'AntivirusUnavailable' };

describe('clamd', () => {
  it('gets the whole message in sized chunks, however it lies in memory', async (t) => {
    const { address, heard } = await fakeClamd(t, 'stream: OK\0');
    const bytes = Buffer.alloc(300_000, 'Messaggio di prova\r\n');
    const clamd = new ClamdAntivirus(address);
    for (const rope of [
      Rope.of(bytes),
      Rope.of('testa\r\n', sourceOf(bytes), 'coda'),
      Rope.of(''),
      Rope.of('x'),
    ]) {
      assert.equal((await clamd.scan(rope)).virus, null);
      const { bytes: got, chunks } = streamed(heard.at(-1));
      assert.deepEqual(got, await rope.bytes());
      assert.ok(chunks >= Math.ceil(rope.length / 65_536));
    }
  });

  it('a virus is told by its name', async (t) => {
    for (const name of [
      'Eicar-Test-Signature',
      'Win.Test.EICAR_HDB-1',
      'Heuristics.Phishing.Email.SpoofedDomain',
      'UN NOME CON FOUND dentro',
    ]) {
      const { address } = await fakeClamd(t, `stream: ${name} FOUND\0`);
      assert.equal((await new ClamdAntivirus(address).scan(Rope.of('x'))).virus, name);
    }
  });

  it('the engine and its version are named once they are known', async (t) => {
    const { address } = await fakeClamd(t, (socket, heard) =>
      socket.end(
        heard.includes('zVERSION') ? 'ClamAV 1.4.1/27500/Mon Jun  2 10:00:00 2025\0' : 'stream: OK\0',
      ),
    );
    const clamd = new ClamdAntivirus(address);
    assert.equal(await clamd.ping(), true);
    assert.equal((await clamd.scan(Rope.of('x'))).engine, 'ClamAV 1.4.1/27500/Mon Jun  2 10:00:00 2025');
  });

  it('the version is asked for before the first scan; its date is that of the signatures', async (t) => {
    let version = 'ClamAV 1.4.1/27500/Mon Jun  2 10:00:00 2025';
    const { address } = await fakeClamd(t, (socket, heard) =>
      socket.end(heard.includes('zVERSION') ? `${version}\0` : 'stream: OK\0'),
    );
    const clamd = new ClamdAntivirus(address);
    assert.equal(clamd.signaturesAt(), undefined);
    assert.equal((await clamd.scan(Rope.of('x'))).engine, version);
    assert.equal(clamd.signaturesAt(), new Date(2025, 5, 2, 10).getTime());
    version = 'ClamAV 1.4.1/27501/Tue Jun  3 10:00:00 2025';
    assert.equal(await clamd.ping(), true);
    assert.equal((await clamd.scan(Rope.of('x'))).engine, version, 'signatures are renewed while it runs');
    version = 'ClamAV 1.4.1';
    await clamd.ping();
    assert.deepEqual([(await clamd.scan(Rope.of('x'))).engine, clamd.signaturesAt()], [version, undefined]);
  });

  it('its own signatures that are old are an alarm, and their age a metric', async (t) => {
    let made = 'Mon Jun  2 10:00:00 2025';
    const { address } = await fakeClamd(t, (socket, heard) => {
      if (heard.includes('zVERSION')) socket.end(`ClamAV 1.4.1/27500/${made}\0`);
      else if (heard.includes('zIDSESSION')) socket.write('1: PONG\0');
      else socket.end(heard.includes('EICAR') ? 'stream: Eicar FOUND\0' : 'stream: OK\0');
    });
    const telemetry = silentTelemetry();
    const now = new Date(2025, 5, 12, 10).getTime();
    const largest = 2 * 1024 * 1024;
    const watched = watchedAntivirus({ kind: 'clamd', clamd: address }, telemetry, largest, () => now);
    const age = async () =>
      /^ceralacca_antivirus_signatures_age_seconds (\S+)$/m.exec(await telemetry.metrics())?.[1];
    const until = async (holds: () => boolean): Promise<void> => {
      for (let tries = 0; !holds(); tries += 1) {
        assert.ok(tries < 3000, 'it never comes');
        watched.look();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const standing = () => telemetry.standing().map(({ name }) => name);
    assert.equal(await age(), 'Nan');
    await until(() => standing().includes('antivirus-signatures'));
    assert.equal(await age(), String(10 * 86_400));
    made = 'Thu Jun 12 09:00:00 2025';
    await until(() => !standing().includes('antivirus-signatures'));
    assert.equal(await age(), '3600');
  });

  const noVerdict: Readonly<Record<string, Answer>> = {
    'an error': 'stream: Can\u0027t allocate memory ERROR\0',
    'the size limit': 'INSTREAM size limit exceeded. ERROR\0',
    'an unknown command': 'UNKNOWN COMMAND\0',
    'an empty answer': '\0',
    'half an answer': 'stream: O',
    'a whole answer without its end': 'stream: OK',
    'a virus without its end': 'stream: Eicar FOUND',
    'no answer': '',
    'an answer in another shape': 'OK\0',
    'something around OK': 'stream: NOT OK\0',
    'an answer that never ends': (socket) => void socket.write('x'.repeat(10_000)),
    'a reset': (socket) => void socket.resetAndDestroy(),
  };
  for (const [what, answer] of Object.entries(noVerdict)) {
    it(`${what} is no verdict: the antivirus is unavailable`, async (t) => {
      const { address } = await fakeClamd(t, answer);
      await assert.rejects(new ClamdAntivirus(address).scan(Rope.of('Subject: x\r\n\r\nx')), (error) => {
        assert.ok(error instanceof AntivirusUnavailable);
        return true;
      });
    });
  }

  it('an early answer, before all is sent, is taken', async (t) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.pause();
        socket.end('stream: Eicar FOUND\0');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => void server.close());
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const clamd = new ClamdAntivirus(`tcp://127.0.0.1:${address.port}`);
    assert.equal((await clamd.scan(Rope.of(Buffer.alloc(20_000_000, 'x')))).virus, 'Eicar');
  });

  it('silence ends after the time given, and nobody there is told at once', async (t) => {
    const { address } = await fakeClamd(t, () => undefined);
    const mute = new ClamdAntivirus(address, { silence: 50, whole: 5_000 });
    await assert.rejects(mute.scan(Rope.of('x')), unavailable);
    assert.equal(await mute.ping(), false);
    const nobody = new ClamdAntivirus('tcp://127.0.0.1:1');
    await assert.rejects(nobody.scan(Rope.of('x')), /clamd tcp:\/\/127\.0\.0\.1:1/);
    assert.equal(await nobody.ping(), false);
  });

  it('scans take turns: so many streams at once, and who gets no turn in time is told', async (t) => {
    let open = 0;
    let most = 0;
    const waiting: Socket[] = [];
    const { address } = await fakeClamd(t, (socket, heard) => {
      if (heard.includes('zVERSION')) return void socket.end('ClamAV 1.4.1\0');
      most = Math.max(most, ++open);
      waiting.push(socket);
      setImmediate(() => {
        open -= 1;
        waiting.shift()?.end('stream: OK\0');
      });
    });
    const clamd = new ClamdAntivirus(address);
    const verdicts = await Promise.all(Array.from({ length: 40 }, () => clamd.scan(Rope.of('x'))));
    assert.ok(verdicts.every(({ virus }) => virus === null));
    assert.ok(most <= 8, `${most} at once`);
    const mute = await fakeClamd(t, () => undefined);
    const slow = new ClamdAntivirus(mute.address, { silence: 60_000, whole: 200 });
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => slow.scan(Rope.of('x'))));
    assert.ok(results.every(({ status }) => status === 'rejected'));
    assert.ok(
      results.every((one) => one.status === 'rejected' && one.reason instanceof AntivirusUnavailable),
    );
  });

  it('a message that cannot be read is no verdict either', async (t) => {
    const { address } = await fakeClamd(t, 'stream: OK\0');
    const broken = Rope.of({
      length: 10,
      read: async () => {
        throw new Error('the spool is gone');
      },
    });
    await assert.rejects(new ClamdAntivirus(address).scan(broken), unavailable);
  });

  it('answers on a socket of the file system, and to many at once', async (t) => {
    const files = scratch();
    t.after(() => files.remove());
    const { address } = await fakeClamd(
      t,
      (socket, heard) => socket.end(heard.includes('virus') ? 'stream: V FOUND\0' : 'stream: OK\0'),
      files.path('clamd.ctl'),
    );
    const clamd = new ClamdAntivirus(address);
    const verdicts = await Promise.all(
      Array.from({ length: 40 }, (_, index) => clamd.scan(Rope.of(index % 3 === 0 ? 'un virus' : 'niente'))),
    );
    verdicts.forEach(({ virus }, index) => {
      assert.equal(virus, index % 3 === 0 ? 'V' : null);
    });
  });
});
