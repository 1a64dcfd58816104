/** COMPRESS=DEFLATE (RFC 4978). */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { constants, deflateRawSync } from 'node:zlib';
import { ImapFlow } from 'imapflow';
import { Dialogue } from './dialogue.js';
import { PASSWORD, startImap, type TestImapServer } from './support/imap-server.js';

let server: TestImapServer;
before(async () => {
  server = await startImap({ compress: true, timeouts: { linger: 1000 } });
});
after(() => server.stop());

async function compressed(user: string): Promise<Dialogue> {
  const client = await Dialogue.loggedIn(server.port, user);
  assert.equal(await client.answer('COMPRESS DEFLATE'), 'OK DEFLATE attivo / DEFLATE active');
  client.startDeflate();
  return client;
}

describe('COMPRESS', () => {
  it('is not there unless the operator wants it', async () => {
    const plain = await startImap();
    const client = await Dialogue.loggedIn(plain.port, 'a@alfa.example');
    assert.doesNotMatch((await client.expect('CAPABILITY')).join(), /COMPRESS/);
    assert.equal(await client.answer('COMPRESS DEFLATE'), 'BAD Comando non riconosciuto / Unknown command');
    client.close();
    await plain.stop();
  });

  it('compresses both ways, once, after the login', async () => {
    const early = await Dialogue.open(server.port);
    assert.match(await early.hear(), /COMPRESS=DEFLATE/);
    assert.match(await early.answer('COMPRESS DEFLATE'), /^BAD COMPRESS non ammesso/);
    early.close();
    const refused = await Dialogue.loggedIn(server.port, 'c1@alfa.example');
    assert.match(await refused.answer('COMPRESS LZ4'), /^NO \[CANNOT\]/);
    assert.match(await refused.answer('COMPRESS'), /^BAD /);
    refused.say('x COMPRESS DEFLATE\r\ny NOOP\r\n');
    assert.match(await refused.hear(), /^x BAD Nessun dato dopo COMPRESS/);
    assert.match(await refused.hear(), /^y OK/);
    refused.close();
    const client = await compressed('c1@alfa.example');
    assert.match(await client.answer('COMPRESS DEFLATE'), /^NO \[COMPRESSIONACTIVE\]/);
    assert.doesNotMatch((await client.expect('CAPABILITY')).join(), /COMPRESS/);
    const text = `Subject: x\r\n\r\n${'sempre la stessa riga\r\n'.repeat(20_000)}`;
    assert.match(await client.append('INBOX', text), /^OK \[APPENDUID/);
    await client.expect('SELECT INBOX');
    const before = client.octetsHeard;
    const [body = ''] = await client.expect('FETCH 1 BODY.PEEK[]');
    assert.equal(body.split('¬').slice(1, -1).join('\r\n'), text.slice(0, -2));
    assert.ok(client.octetsHeard - before < text.length / 50, `${client.octetsHeard - before} octets`);
    assert.match(await client.answer('LOGOUT'), /^OK/);
    assert.equal(await client.hear(), 'closed');
  });

  it('flushes what is told in IDLE', async () => {
    const client = await compressed('c2@alfa.example');
    await client.expect('SELECT INBOX');
    client.say('i IDLE\r\n');
    assert.match(await client.hear(), /^\+ /);
    const other = await Dialogue.loggedIn(server.port, 'c2@alfa.example');
    await other.append('INBOX', 'Subject: x\r\n\r\n');
    assert.equal(await client.hear(), '* 1 EXISTS');
    client.say('DONE\r\n');
    await client.until('i');
    client.close();
    other.close();
  });

  it('ends who sends what does not inflate, and nobody else', async () => {
    const client = await compressed('c3@alfa.example');
    client.sayRaw(Buffer.from('a NOOP\r\n'.repeat(10)));
    await client.gone();
    const next = await compressed('c3@alfa.example');
    await next.expect('NOOP');
    // What comes after the end of its stream is nothing any more.
    next.sayRaw(deflateRawSync('z NOOP\r\n', { finishFlush: constants.Z_FINISH }));
    assert.match(await next.hear(), /^z OK/);
    next.sayRaw(Buffer.from('more'));
    await next.gone();
  });

  it('holds what swells to the limits of what comes plain', async () => {
    const swells = (line: string, times: number) =>
      deflateRawSync(Buffer.alloc(line.length * times, line), { finishFlush: constants.Z_SYNC_FLUSH });
    const line = await compressed('c4@alfa.example');
    const bomb = swells('x', 100 * 1024 * 1024);
    assert.ok(bomb.length < 200_000);
    line.sayRaw(bomb);
    assert.equal(await line.hear(), '* BYE Riga senza fine / Endless line');
    line.close();
    const literal = await compressed('c4@alfa.example');
    assert.match(await literal.answer(`APPEND INBOX {${101 * 1024 * 1024}}`), /^NO \[TOOBIG\]/);
    literal.close();
    const many = await compressed('c4@alfa.example');
    many.sayRaw(swells('x y\r\n', 1_000_000));
    for (let heard = await many.hear(); !heard.startsWith('* BYE'); heard = await many.hear())
      assert.match(heard, /^x BAD/);
    many.close();
  });

  it('is used by imapflow on its own', async () => {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: server.port,
      secure: false,
      tls: { rejectUnauthorized: false },
      auth: { user: 'flow@alfa.example', pass: PASSWORD },
      logger: false,
    });
    await client.connect();
    assert.equal(client.capabilities.has('COMPRESS=DEFLATE'), true);
    await client.append('INBOX', `Subject: x\r\n\r\n${'riga\r\n'.repeat(50_000)}`);
    const lock = await client.getMailboxLock('INBOX');
    const message = await client.fetchOne('1', { source: true });
    lock.release();
    assert.ok(message);
    assert.equal(message.source?.length, 14 + 6 * 50_000);
    await client.logout();
  });
});
