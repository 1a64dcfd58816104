/** Programs and libraries that speak IMAP for somebody else: each reads, flags, moves, deletes and appends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ImapFlow } from 'imapflow';
import { needs } from '../support/programs.js';
import { runProgram } from '../support/run-program.js';
import {
  PASSWORD,
  type RealImap,
  sampleHashes,
  samples,
  sha256,
  USER,
  withSamples,
} from './support/real-imap.js';

const imaplib = `
import hashlib, imaplib, ssl, sys, time
imaplib._MAXLINE = 100000000
port, ca, user, password = int(sys.argv[1]), *sys.argv[2:]
client = imaplib.IMAP4_SSL('localhost', port, ssl_context=ssl.create_default_context(cafile=ca))

def ok(answer):
    assert answer[0] == 'OK', answer
    return answer[1]

ok(client.login(user, password))
for name in ('IDLE', 'UIDPLUS', 'MOVE', 'CONDSTORE', 'QRESYNC', 'SPECIAL-USE', 'QUOTA', 'ESEARCH', 'SORT'):
    assert name in client.capabilities, (name, client.capabilities)
# Not UTF8=ACCEPT: with it, imaplib's APPEND puts its "UTF8 (" into the literal.
ok(client.enable('CONDSTORE'))
assert int(ok(client.select('INBOX'))[0]) == 4
for part in ok(client.fetch('1:*', '(FLAGS BODY.PEEK[])')):
    if isinstance(part, tuple):
        print(hashlib.sha256(part[1]).hexdigest())
assert ok(client.search(None, 'KEYWORD', '$Consegna'))[0] == b'3'
assert ok(client.search(None, 'SUBJECT', 'contratto'))[0] == b'1 2 3'
assert ok(client.search(None, 'BODY', '"riga lunga"'))[0] == b'3'
assert ok(client.sort('REVERSE SIZE', 'UTF-8', 'ALL'))[0].split()[0] == b'3'
head = ok(client.fetch('2', '(BODY.PEEK[HEADER.FIELDS (SUBJECT)])'))[0][1]
assert head == b'Subject: ACCETTAZIONE: contratto\\r\\n\\r\\n', head
part = ok(client.fetch('3', '(BODY.PEEK[TEXT]<12.10>)'))[0][1]
assert part == b'riga lunga', part
ok(client.store('1', '+FLAGS', '(\\\\Seen \\\\Flagged Urgente)'))
flags = ok(client.fetch('1', '(FLAGS)'))[0]
assert b'Urgente' in flags and b'$PostaCertificata' in flags, flags
ok(client.create('Pratiche/2026'))
assert any(b'Pratiche/2026' in line for line in ok(client.list()))
ok(client.subscribe('Pratiche/2026'))
ok(client.uid('COPY', '1', 'Pratiche/2026'))
ok(client.uid('MOVE', '2', 'Archivio'))
ok(client.store('2', '+FLAGS', '\\\\Deleted'))
# That of MOVE is among them.
assert ok(client.expunge()) == [b'2', b'2']
draft = b'Subject: bozza\\r\\n\\r\\nperch\\xc3\\xa9\\r\\n'
ok(client.append('Bozze', '(\\\\Draft)', imaplib.Time2Internaldate(time.time()), draft))
ok(client.append('Bozze', None, None, draft))
assert client.append('Nessuna', None, None, draft)[0] == 'NO'
ok(client.rename('Pratiche/2026', 'Pratiche/Vecchie'))
ok(client.getquotaroot('INBOX'))
ok(client.noop())
ok(client.close())
client.logout()
`;

describe('libraries and curl over IMAPS', () => {
  it("Python's imaplib", { skip: needs('python3') }, () =>
    withSamples(async (real) => {
      const out = await runProgram('python3', ['-c', imaplib, `${real.port}`, real.caFile, USER, PASSWORD]);
      assert.deepEqual(out.toString().trim().split('\n'), sampleHashes);
      assert.deepEqual(
        (await real.kept()).map(({ flags }) => flags),
        [['\\Seen', '\\Flagged', '$PostaCertificata', 'Urgente'], ['$Anomalia']],
      );
      const [moved] = await real.kept('Archivio');
      assert.deepEqual([moved?.hash, moved?.flags], [sampleHashes[1], ['$Accettazione']]);
      assert.equal((await real.kept('Pratiche/Vecchie'))[0]?.hash, sampleHashes[0]);
      const drafts = await real.kept('Bozze');
      assert.deepEqual(
        drafts.map(({ flags, text }) => [flags, text]),
        [['\\Draft'], []].map((flags) => [flags, 'Subject: bozza\r\n\r\nperchÃ©\r\n']),
      );
    }),
  );

  it('curl', { skip: needs('curl') }, () => withSamples(withCurl));

  it('imapflow', () => withSamples(withImapFlow));

  it('imapflow hears in IDLE of what is delivered, flagged and expunged meanwhile', () =>
    withSamples(idling));
});

async function withCurl(real: RealImap): Promise<void> {
  const curl = (path: string, ...options: string[]) =>
    runProgram('curl', [
      ...['-sS', '--cacert', real.caFile, '-u', `${USER}:${PASSWORD}`, ...options],
      `imaps://localhost:${real.port}/${path}`,
    ]);
  const text = async (path: string, ...options: string[]) =>
    (await curl(path, ...options)).toString('latin1');
  assert.match(await text(''), /^\* LIST \(.*\\Sent.*\) "\/" "Posta inviata"\r$/m);
  for (const [at, hash] of sampleHashes.entries()) {
    assert.equal(sha256(await curl(`INBOX;MAILINDEX=${at + 1}`)), hash);
    assert.equal(sha256(await curl(`INBOX;UID=${at + 1}`, '--login-options', 'AUTH=PLAIN')), hash);
  }
  assert.equal(
    await text('INBOX;UID=2;SECTION=HEADER.FIELDS%20(SUBJECT)'),
    'Subject: ACCETTAZIONE: contratto\r\n\r\n',
  );
  assert.equal(await text('INBOX?SUBJECT%20contratto'), '* SEARCH 1 2 3\r\n');
  assert.match(await text('INBOX', '-X', 'STORE 1 +FLAGS (\\Flagged)'), /^\* 1 FETCH \(FLAGS \(.*\\Flagged/);
  await curl('', '-X', 'CREATE Pratiche');
  await curl('INBOX', '-X', 'UID COPY 1 Pratiche');
  await curl('INBOX', '-X', 'UID MOVE 2 Archivio');
  await curl('INBOX', '-X', 'UID STORE 3 +FLAGS.SILENT (\\Deleted)');
  assert.match(await text('INBOX', '-X', 'EXPUNGE'), /^\* 2 EXPUNGE\r\n/);
  const file = join(real.folder, 'bozza.eml');
  await writeFile(file, samples[1]?.content ?? '');
  await curl('Bozze', '-T', file);
  assert.deepEqual(
    (await real.kept()).map(({ hash, flags }) => [hash, flags.at(-1)]),
    [
      [sampleHashes[0], '$PostaCertificata'],
      [sampleHashes[3], '$Anomalia'],
    ],
  );
  for (const [folder, hash] of [
    ['Pratiche', sampleHashes[0]],
    ['Archivio', sampleHashes[1]],
    ['Bozze', sampleHashes[1]],
  ] as const) {
    assert.deepEqual(
      (await real.kept(folder)).map((kept) => kept.hash),
      [hash],
      folder,
    );
  }
}

async function flow({ port, caFile }: RealImap): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: 'localhost',
    port,
    secure: true,
    auth: { user: USER, pass: PASSWORD },
    tls: { ca: await readFile(caFile) },
    disableAutoIdle: true,
    logger: false,
  });
  await client.connect();
  return client;
}

async function withImapFlow(real: RealImap): Promise<void> {
  const client = await flow(real);
  const folders = await client.list();
  assert.deepEqual(folders.map(({ path, specialUse }) => `${path} ${specialUse}`).sort(), [
    'Archivio \\Archive',
    'Bozze \\Drafts',
    'Cestino \\Trash',
    'INBOX \\Inbox',
    'Posta inviata \\Sent',
  ]);
  const opened = await client.mailboxOpen('INBOX');
  assert.ok(opened.permanentFlags?.has('\\*'));
  const query = { uid: true, flags: true, envelope: true, bodyStructure: true, source: true, size: true };
  const messages = await client.fetchAll('1:*', query);
  assert.deepEqual(
    messages.map(({ source }) => sha256(source ?? Buffer.alloc(0))),
    sampleHashes,
  );
  const [envelope] = messages;
  assert.equal(envelope?.envelope?.subject, 'POSTA CERTIFICATA: contratto');
  assert.equal(envelope?.envelope?.messageId, '<busta@alfa.example>');
  assert.equal(envelope?.bodyStructure?.type, 'text/plain');
  assert.ok(envelope?.flags?.has('$PostaCertificata'));
  assert.deepEqual(await client.search({ keyword: '$Accettazione' }, { uid: true }), [2]);
  assert.deepEqual(await client.search({ subject: 'contratto', not: { seen: true } }), [1, 2, 3]);
  assert.equal(await client.messageFlagsAdd('1', ['\\Seen', '\\Flagged']), true);
  await client.mailboxCreate(['Pratiche', 'Città']);
  const copied = await client.messageCopy('1', 'Pratiche/Città', { uid: true });
  assert.ok(copied && copied.uidMap?.get(1) === 1);
  const moved = await client.messageMove('2', 'Archivio', { uid: true });
  assert.ok(moved && moved.uidMap?.get(2) === 1);
  await client.messageDelete('3', { uid: true });
  const added = await client.append('Bozze', samples[1]?.content ?? '', ['\\Draft', 'Mia']);
  assert.ok(added && added.uid === 1);
  await client.mailboxRename('Pratiche/Città', 'Pratiche/Comune');
  const status = await client.status('INBOX', { messages: true, unseen: true, highestModseq: true });
  assert.ok(status && status.messages === 2 && status.unseen === 1 && status.highestModseq !== undefined);
  const quota = await client.getQuota('INBOX');
  assert.ok(quota !== false && Number(quota.storage?.limit) > 0);
  await client.logout();
  assert.deepEqual(
    (await real.kept()).map(({ hash, flags }) => [hash, flags]),
    [
      [sampleHashes[0], ['\\Seen', '\\Flagged', '$PostaCertificata']],
      [sampleHashes[3], ['$Anomalia']],
    ],
  );
  assert.deepEqual(await real.folders(), [
    'Archivio',
    'Bozze',
    'Cestino',
    'INBOX',
    'Posta inviata',
    'Pratiche',
    'Pratiche/Comune',
  ]);
  assert.deepEqual((await real.kept('Pratiche/Comune'))[0]?.hash, sampleHashes[0]);
  assert.deepEqual((await real.kept('Bozze'))[0]?.flags, ['\\Draft', 'Mia']);
}

async function idling(real: RealImap): Promise<void> {
  const client = await flow(real);
  const other = await flow(real);
  for (const each of [client, other]) await each.mailboxOpen('INBOX');
  const next = async (event: string, act: () => Promise<unknown>) => {
    const [[value]] = await Promise.all([once(client, event), act()]);
    return value;
  };
  const idle = client.idle();
  const receipt = Buffer.from('Subject: CONSEGNA: nuova\r\n\r\n');
  const exists = await next('exists', () => real.deliver(receipt, '$Consegna'));
  assert.deepEqual([exists.count, exists.prevCount], [5, 4]);
  const flags = await next('flags', () => other.messageFlagsAdd('2', ['\\Answered']));
  assert.ok(flags.seq === 2 && flags.flags.has('\\Answered') && flags.flags.has('$Accettazione'));
  const expunge = await next('expunge', () => other.messageDelete('1'));
  assert.equal(expunge.seq ?? 1, 1);
  // A command ends the IDLE.
  assert.deepEqual(await client.search({ keyword: '$Consegna' }), [2, 4]);
  await idle;
  for (const each of [client, other]) await each.logout();
}
