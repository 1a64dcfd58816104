/** Programs that fetch mail for somebody else, and one that shows it. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
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

describe('fetching over IMAPS', () => {
  it(
    'fetchmail leaves what it is told to leave, and takes all the octets',
    {
      skip: needs('fetchmail'),
    },
    () => withSamples(withFetchmail),
  );

  it(
    'getmail brings what is new, each once, and moves what it is told to move',
    { skip: needs('getmail') },
    () => withSamples(withGetmail),
  );
});

describe('mutt over IMAPS', () => {
  it('reads, flags, moves, deletes and copies', { skip: needs('mutt') || needs('script') }, () =>
    withSamples(withMutt),
  );
});

/** A configuration file that only its owner reads, as these programs want it. */
async function configure({ folder }: RealImap, name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

/** From its subject on: what stands before is what these programs write themselves (Received, Return-Path). */
const fromSubject = (text: string): string =>
  sha256(Buffer.from(text.slice(text.indexOf('Subject: ')), 'latin1'));
const expected = samples.map(({ content }) => fromSubject(content.toString('latin1')));

/** A shell command that appends a message and a mark to a file. */
const appendTo = (file: string): string => `{ cat; echo ==fine==; } >> ${file}`;

/** What getmail adds. */
const GETMAIL = /^X-getmail-retrieved-from-mailbox: .*\r\n/gm;

/** What was appended so far. */
async function collected(file: string): Promise<string[]> {
  const text = (await readFile(file, 'latin1')).replace(/\r?\n/g, '\r\n').replace(GETMAIL, '');
  return text.split('==fine==\r\n').slice(0, -1).map(fromSubject);
}

async function withFetchmail(real: RealImap): Promise<void> {
  const collection = join(real.folder, 'collected');
  const fetch = async (...options: string[]) => {
    const rc = await configure(
      real,
      'fetchmailrc',
      `poll localhost protocol IMAP port ${real.port} user "${USER}" password "${PASSWORD}" ` +
        `ssl sslcertck sslcertfile ${real.caFile} ${options.join(' ')} no rewrite mda "${appendTo(collection)}"\n`,
    );
    const args = ['-f', rc, '--nodetach', '--nosyslog', '--invisible', '-i', join(real.folder, 'ids')];
    return runProgram('fetchmail', args, { env: { HOME: real.folder, FETCHMAILHOME: real.folder } });
  };
  await fetch('keep', 'fetchall');
  assert.deepEqual(await collected(collection), expected);
  const seen = await real.kept();
  assert.ok(seen.length === 4 && seen.every(({ flags }) => flags.includes('\\Seen')));
  await fetch('no keep', 'fetchall');
  assert.deepEqual(await collected(collection), [...expected, ...expected]);
  assert.deepEqual(await real.kept(), []);
}

const getmailrc = ({ port, caFile, folder }: RealImap, remove: boolean): string => `
[retriever]
type = SimpleIMAPSSLRetriever
server = localhost
port = ${port}
username = ${USER}
password = ${PASSWORD}
ca_certs = ${caFile}
mailboxes = ("INBOX",)
${remove ? 'move_on_delete = Archivio' : ''}

[destination]
type = MDA_external
path = /bin/sh
arguments = ("-c", "${appendTo(`${folder}/collected`)}")
allow_root_commands = true

[options]
read_all = ${remove}
delete = ${remove}
delivered_to = false
received = false
`;

async function withGetmail(real: RealImap): Promise<void> {
  const collection = join(real.folder, 'collected');
  const fetch = async (remove = false) => {
    await configure(real, 'getmailrc', getmailrc(real, remove));
    const args = [`--getmaildir=${real.folder}`, '--rcfile=getmailrc'];
    return runProgram('getmail', args, { env: { HOME: real.folder } });
  };
  const said = await fetch();
  assert.deepEqual(await collected(collection), expected, said.toString());
  const late = 'Return-Path: <x@y.example>\r\nSubject: CONSEGNA: altra\r\n\r\nqui\r\n';
  await real.deliver(Buffer.from(late), '$Consegna');
  await fetch();
  assert.deepEqual(await collected(collection), [...expected, fromSubject(late)]);
  const hashes = [...sampleHashes, sha256(Buffer.from(late))];
  assert.deepEqual(
    (await real.kept()).map(({ hash }) => hash),
    hashes,
  );
  await fetch(true);
  assert.deepEqual(await real.kept(), []);
  assert.deepEqual(
    (await real.kept('Archivio')).map(({ hash }) => hash),
    hashes,
  );
}

async function withMutt(real: RealImap): Promise<void> {
  const mbox = join(real.folder, 'copied');
  const rc = await configure(
    real,
    'muttrc',
    [
      `set folder="imaps://${USER.replace('@', '%40')}@localhost:${real.port}/"`,
      'set spoolfile=+INBOX',
      `set imap_user="${USER}" imap_pass="${PASSWORD}"`,
      `set ssl_ca_certificates_file="${real.caFile}" certificate_file="${real.caFile}"`,
      'set ssl_force_tls=yes ssl_verify_host=yes header_cache="" message_cachedir=""',
      'set delete=yes quit=yes move=no confirmappend=no confirmcreate=no wait_key=no sort=mailbox-order',
      'set imap_idle=yes mail_check=1',
      '',
    ].join('\n'),
  );
  const keys = [
    '<jump>1<enter><display-message><exit><flag-message>',
    '<jump>2<enter><save-message>=Archivio<enter>',
    '<jump>3<enter><delete-message>',
    `<jump>4<enter><copy-message>${mbox}<enter>`,
    '<jump>4<enter><copy-message>=Pratiche<enter>',
    '<quit>',
  ].join('');
  const command = `mutt -F '${rc}' -e 'push "${keys}"'`;
  await runProgram('script', ['-qec', command, '/dev/null'], { env: { TERM: 'xterm', HOME: real.folder } });
  assert.deepEqual(
    (await real.kept()).map(({ hash, flags }) => [hash, flags.join(' ')]),
    [
      [sampleHashes[0], '\\Seen \\Flagged $PostaCertificata'],
      [sampleHashes[3], '$Anomalia Old'],
    ],
    'mutt says by a keyword of its own that it saw a message unread',
  );
  assert.equal((await real.kept('Archivio'))[0]?.hash, sampleHashes[1]);
  assert.equal((await real.kept('Pratiche'))[0]?.hash, sampleHashes[3]);
  assert.match(await readFile(mbox, 'latin1'), /^From .*\n(?:.+\n)*Subject: ANOMALIA MESSAGGIO: offerta\n/);
}
