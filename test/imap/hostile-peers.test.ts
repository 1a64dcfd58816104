/** Clients that do not read, do not end, or do not stop: they cost little, others are served, the process stands. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Connections } from '../../src/limits/index.js';
import { until } from '../relay/house.js';
import { Dialogue } from './dialogue.js';
import { startImap, type TestImapOptions, type TestImapServer } from './support/imap-server.js';

const servers: TestImapServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function start(options: TestImapOptions = {}): Promise<TestImapServer> {
  const server = await startImap({ indexing: false, ...options });
  servers.push(server);
  return server;
}

const USER = 'anna@alfa.example';
const inbox = ({ port }: TestImapServer): Promise<Dialogue> => Dialogue.inFolder(port, USER);
const failures = ({ telemetry }: TestImapServer): string[] =>
  telemetry.recorded.flatMap(({ name, fields }) => (name === 'session.failed' ? [fields.error] : []));

const MEBI = 1024 * 1024;
const large = `Subject: grande\r\n\r\n${`${'x'.repeat(1022)}\r\n`.repeat(20 * 1024)}`;

/** Octets of buffers, after collection where that can be asked for. */
const held = (): number => process.memoryUsage().arrayBuffers;

describe('a client that does not read', () => {
  it('is not read ahead for; others are served, and it is cut off when its time is up', async () => {
    const server = await start({ timeouts: { write: 3_000 } });
    const [slow, other] = [await inbox(server), await inbox(server)];
    assert.match(await slow.append('INBOX', large), /^OK/);
    await other.expect('NOOP');
    slow.stopReading();
    const before = held();
    // 10 times 20 MB are asked for.
    slow.say('a FETCH 1 BODY.PEEK[]\r\n'.repeat(10));
    let most = 0;
    while (failures(server).length === 0) {
      assert.match(await other.answer('FETCH 1 (RFC822.SIZE)'), /^OK/);
      most = Math.max(most, held() - before);
    }
    assert.deepEqual(failures(server), ['the peer did not read for 3000 ms']);
    assert.ok(most < 12 * MEBI, `${most} octets more`);
    await until(() => server.server.connections === 1);
    // Who reads gets all of it.
    const [whole = ''] = await other.expect('FETCH 1 BODY.PEEK[]');
    assert.equal(whole.length - whole.indexOf('¬') - 2, large.replaceAll('\r\n', '¬').length);
    slow.close();
    other.close();
  });

  it('may be slow, as long as it reads', async () => {
    const server = await start({ timeouts: { write: 60_000 } });
    const client = await inbox(server);
    assert.match(await client.append('INBOX', large), /^OK/);
    client.stopReading();
    client.say('a FETCH 1 BODY.PEEK[]\r\n');
    await until(() => server.server.connections === 1);
    client.readOn();
    assert.match((await client.until('a')).at(-1) ?? '', /^OK/);
    client.close();
  });
});

describe('a client that does not wait', () => {
  it('is answered in order, however much it sends at once; others have their turn', async () => {
    const server = await start();
    const [flood, other] = [await inbox(server), await inbox(server)];
    const count = 20_000;
    flood.say(Array.from({ length: count }, (_, at) => `f${at} NOOP\r\n`).join(''));
    assert.match(await flood.hear(), /^f0 OK/);
    for (let at = 0; at < 20; at += 1) await other.expect('NOOP');
    for (let at = 1; at < count; at += 1) assert.equal(await flood.hear(), `f${at} OK Fatto / Done`);
    await flood.expect('NOOP');
    flood.close();
    other.close();
  });

  it('is not read further than its answers go', async () => {
    const server = await start({ timeouts: { write: 3_000 } });
    const client = await inbox(server);
    client.stopReading();
    const before = held();
    let most = 0;
    const commands = Buffer.from('a CAPABILITY\r\n'.repeat(75_000));
    for (let at = 0; at < 40; at += 1) client.say(commands);
    const own = 40 * commands.length;
    await until(() => {
      most = Math.max(most, held() - before);
      return failures(server).length > 0;
    });
    assert.ok(most < own + 8 * MEBI, `${most} octets more, ${own} of them the client's own`);
    await until(() => server.server.connections === 0);
    client.close();
  });
});

describe('a client that closes its side', () => {
  it('gets the answers it asked for, and the connection ends', async () => {
    const server = await start();
    const client = await inbox(server);
    assert.match(await client.append('INBOX', large), /^OK/);
    client.say('a FETCH 1 BODY.PEEK[]\r\nb NOOP\r\nc SEA');
    client.finish();
    const [whole = '', done] = await client.until('a');
    assert.ok(whole.length > 10 * MEBI);
    assert.match(done ?? '', /^OK/);
    assert.match((await client.until('b')).join(), /^OK/);
    assert.equal(await client.hear(), 'closed');
    await until(() => server.server.connections === 0);
  });

  it('ends in the middle of a literal, of a login, of IDLE', async () => {
    const server = await start();
    for (const said of [
      'a SEARCH TEXT {10}\r\nabc',
      'a IDLE\r\n',
      'a APPEND INBOX {99}\r\nabc',
      'a FETCH 1 (',
    ]) {
      const client = await inbox(server);
      client.say(said);
      client.finish();
      await client.gone();
    }
    const client = await Dialogue.open(server.port);
    client.say('a AUTHENTICATE PLAIN\r\n');
    client.finish();
    await client.gone();
    await until(() => server.server.connections === 0);
    assert.deepEqual(failures(server), []);
  });

  it('or is gone without a word while it is being answered', async () => {
    const server = await start();
    const client = await inbox(server);
    assert.match(await client.append('INBOX', large), /^OK/);
    for (let at = 0; at < 10; at += 1) {
      const rude = await inbox(server);
      rude.say('a FETCH 1 BODY.PEEK[]\r\nb IDLE\r\n');
      if (at % 2 === 0) await rude.hear();
      rude.close();
    }
    await client.expect('NOOP');
    client.close();
    await until(() => server.server.connections === 0);
  });
});

describe('a flood of logins', () => {
  it('ends each connection after five that fail; the next right one is let in', async () => {
    const server = await start();
    const guesser = async (at: number) => {
      const client = await Dialogue.open(server.port);
      await client.hear();
      client.say(`a LOGIN ${USER} sbagliata${at}\r\n`.repeat(8));
      const answers: string[] = [];
      for (let heard = await client.hear(); heard !== 'closed'; heard = await client.hear())
        answers.push(heard);
      return answers;
    };
    const all = await Promise.all(Array.from({ length: 100 }, (_, at) => guesser(at)));
    for (const answers of all) {
      assert.equal(answers.length, 6);
      assert.match(answers[4] ?? '', /^a NO \[AUTHENTICATIONFAILED\]/);
      assert.match(answers[5] ?? '', /^\* BYE Troppi errori/);
    }
    (await inbox(server)).close();
    await until(() => server.server.connections === 0);
  });

  it('that never come to an end are ended by the time to log in, whatever is said meanwhile', async () => {
    const server = await start({ timeouts: { login: 1_500 }, limits: { badCommands: 1e9 } });
    const client = await Dialogue.open(server.port);
    await client.hear();
    const drip = setInterval(() => client.say('a NOOP\r\n'), 100);
    for (let heard = ''; !heard.startsWith('* BYE'); heard = await client.hear())
      assert.notEqual(heard, 'closed');
    clearInterval(drip);
    await client.gone();
  });

  it('past the number of connections are told so and closed', async () => {
    const bounds = { total: 100, ofProtocol: 100, ofSource: 5 };
    const server = await start({ connections: new Connections(bounds) });
    const inside = await Promise.all(Array.from({ length: 5 }, () => inbox(server)));
    for (let at = 0; at < 20; at += 1) {
      const client = await Dialogue.open(server.port);
      assert.match(await client.hear(), /^\* BYE \[UNAVAILABLE\] Troppe connessioni/);
      client.close();
    }
    for (const client of inside) await client.expect('NOOP');
    inside[0]?.close();
    await until(() => server.server.connections === 4);
    inside.push(await inbox(server));
    for (const client of inside) client.close();
  });
});
