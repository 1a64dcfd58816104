import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Rope } from '../../src/rope/index.js';
import { needs } from '../support/programs.js';
import { runProgram } from '../support/run-program.js';
import { Dialogue } from './dialogue.js';
import { type RealMailboxes, startRealMailboxes } from './real-mailboxes.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const poplib = `
import hashlib, poplib, ssl, sys
poplib._MAXLINE = 100000000
port, ca, action = int(sys.argv[1]), sys.argv[2], sys.argv[3]
client = poplib.POP3_SSL('localhost', port, context=ssl.create_default_context(cafile=ca))
assert set(client.capa()) >= {'USER', 'SASL', 'UIDL', 'TOP', 'PIPELINING'}, client.capa()
client.user('anna@alfa.example')
client.pass_('perché no!')
count, octets = client.stat()
sizes = [int(line.split()[1]) for line in client.list()[1]]
assert sum(sizes) == octets and len(sizes) == count
for number in range(1, count + 1):
    lines = client.retr(number)[1]
    body = b''.join(line + b'\\r\\n' for line in lines)
    assert len(body) == sizes[number - 1], (number, len(body), sizes)
    print(hashlib.sha256(body).hexdigest(), client.uidl(number).split()[-1].decode())
    assert body.startswith(b'\\r\\n'.join(client.top(number, 0)[1]))
if action == 'delete':
    client.dele(1)
client.quit()
`;
describe('mail programs over a store on the disk', () => {
  let real: RealMailboxes;
  const messages: Buffer[] = [];
  before(async () => {
    real = await startRealMailboxes();
    const small = Buffer.from('Subject: uno\r\n\r\n.\r\n..\r\n.punto\r\nciao\r\n');
    const large = Buffer.alloc(31_457_280, '.0123456789abcdefghijklmnopqrstuvwxyz\r\n');
    large.write('\r\n', large.length - 2);
    const [head, tail] = [Buffer.from('Subject: busta\r\n\r\n'), Buffer.from('.fine\r\n')];
    messages.push(small, Buffer.concat([head, large, tail]), Buffer.from('Subject: tre\r\n\r\n'));
    await real.deliver(Rope.of(small));
    await real.deliver(Rope.of(head, await real.blob(large), tail));
    await real.deliver(Rope.of(messages[2] ?? ''));
  });
  after(() => real.stop());
  const python = (action: string) =>
    runProgram('python3', ['-c', poplib, `${real.port}`, real.caFile, action]);

  it("Python's poplib gets every byte, the same ids each time, and deletes", {
    skip: needs('python3'),
  }, async () => {
    const fetched = (await python('keep')).toString();
    const lines = fetched.trim().split('\n');
    assert.deepEqual(
      lines.map((line) => line.split(' ')[0]),
      messages.map(sha256),
    );
    const again = (await python('delete')).toString();
    assert.equal(again, fetched);
    const left = (await python('keep')).toString();
    assert.deepEqual(left.trim().split('\n'), lines.slice(1));
  });

  it('curl gets a message and a listing', { skip: needs('curl') }, async () => {
    const curl = (path: string, ...options: string[]) =>
      runProgram('curl', [
        ...['-sS', '--cacert', real.caFile, '-u', 'anna@alfa.example:perché no!', ...options],
        `pop3s://localhost:${real.port}/${path}`,
      ]);
    const listing = (await curl('')).toString().trim().split(/\r?\n/);
    const number = listing.findIndex((line) => line.endsWith(` ${messages[1]?.length}`)) + 1;
    assert.ok(number > 0, listing.join());
    assert.equal(sha256(await curl(String(number))), sha256(messages[1] ?? Buffer.alloc(0)));
    assert.match(
      (await curl('', '--login-options', 'AUTH=PLAIN', '-X', 'UIDL')).toString(),
      /^1 \d+\.\d+\r\n/,
    );
  });

  it('mail delivered or expunged during a session neither waits for it nor disturbs it', async () => {
    const client = await Dialogue.open(real.port);
    await client.hear();
    await client.ask('USER anna@alfa.example');
    client.say(Buffer.from('PASS perché no!\r\n'));
    assert.match(await client.hear(), /^\+OK/);
    const before_ = await client.askBody('UIDL');
    await real.deliver(Rope.of('Subject: nuovo\r\n\r\n'));
    assert.equal(await client.askBody('UIDL'), before_);
    const mailbox = await real.store.read('findMailbox', { address: 'anna@alfa.example' });
    const rows = await real.mailstore.list(mailbox?.id ?? 0);
    await real.mailstore.expunge(
      mailbox?.id ?? 0,
      rows.map(({ id }) => id),
    );
    assert.match(await client.ask('DELE 1'), /^\+OK/);
    assert.match(await client.ask('QUIT'), /^\+OK/);
    client.close();
  });
});
