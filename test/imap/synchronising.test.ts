/** Programs that keep a copy of a mailbox on the disk: what changes on either side comes to the other, nothing twice. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../support/programs.js';
import { runProgram } from '../support/run-program.js';
import { Maildir } from './support/maildir.js';
import {
  PASSWORD,
  type RealImap,
  sampleHashes,
  samples,
  sha256,
  USER,
  withSamples,
} from './support/real-imap.js';

const mbsyncrc = ({ port, caFile }: RealImap, local: string): string => `
IMAPAccount anna
Host localhost
Port ${port}
User ${USER}
Pass ${PASSWORD}
SSLType IMAPS
CertificateFile ${caFile}
SystemCertificates no

IMAPStore far
Account anna

MaildirStore near
Path ${local}/
Inbox ${local}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
Sync All
SyncState *
`;

const offlineimaprc = ({ port, caFile, folder }: RealImap, local: string): string => `
[general]
accounts = anna
metadata = ${folder}/offlineimap
ui = basic

[Account anna]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = ${local}

[Repository far]
type = IMAP
remotehost = localhost
remoteport = ${port}
remoteuser = ${USER}
remotepass = ${PASSWORD}
ssl = yes
sslcacertfile = ${caFile}
idlefolders = []
`;

interface Synchroniser {
  readonly program: string;
  readonly configuration: (real: RealImap, local: string) => string;
  readonly options: (file: string) => string[];
}

const synchronisers: readonly Synchroniser[] = [
  { program: 'mbsync', configuration: mbsyncrc, options: (file) => ['-c', file, '-a'] },
  { program: 'offlineimap', configuration: offlineimaprc, options: (file) => ['-c', file, '-o'] },
];

describe('two-way synchronisation over IMAPS', () => {
  for (const synchroniser of synchronisers) {
    it(synchroniser.program, { skip: needs(synchroniser.program) }, () =>
      withSamples((real) => bothWays(real, synchroniser)),
    );
  }
});

async function bothWays(real: RealImap, { program, configuration, options }: Synchroniser): Promise<void> {
  const local = join(real.folder, 'maildir');
  await mkdir(local);
  const file = join(real.folder, 'rc');
  await writeFile(file, configuration(real, local), { mode: 0o600 });
  const sync = () => runProgram(program, options(file), { env: { HOME: real.folder } });
  const inbox = new Maildir(join(local, 'INBOX'));
  const drafts = new Maildir(join(local, 'Bozze'));

  await sync();
  assert.deepEqual(await inbox.hashes(), [...sampleHashes].sort());
  assert.deepEqual(await drafts.hashes(), []);

  // Near: one flagged, one deleted, one moved, one written. Far: one flagged, one more delivered.
  const [envelope = '', accepted = '', delivered = '', anomaly = ''] = sampleHashes;
  await inbox.flag(envelope, 'FS');
  await inbox.remove(anomaly);
  const draft = Buffer.from('Subject: bozza\r\n\r\nperché\r\n');
  await drafts.add('1.bozza.qui', draft, 'DS');
  const archive = new Maildir(join(local, 'Archivio'));
  await archive.add('1.mossa.qui', samples[1]?.content ?? draft, 'S');
  await inbox.remove(accepted);
  const late = Buffer.from('Subject: CONSEGNA: altra\r\n\r\nqui\r\n');
  await real.deliver(late, '$Consegna');
  await sync();
  const kept = await real.kept();
  assert.deepEqual(
    kept.map(({ hash, flags }) => [hash, flags.filter((flag) => flag.startsWith('\\')).join(' ')]),
    [
      [envelope, '\\Seen \\Flagged'],
      [delivered, ''],
      [sha256(late), ''],
    ],
  );
  // Programs that know no keywords leave them where they are.
  assert.deepEqual(
    kept.map(({ flags }) => flags.filter((flag) => flag.startsWith('$')).join()),
    ['$PostaCertificata', '$Consegna', '$Consegna'],
  );
  assert.deepEqual(await inbox.hashes(), kept.map(({ hash }) => hash).sort());
  const [stored, ...more] = await real.kept('Bozze');
  assert.deepEqual(more, []);
  assert.deepEqual(stored?.flags, ['\\Seen', '\\Draft']);
  assert.ok(stored?.text.includes('Subject: bozza\r\n'));
  assert.equal((await real.kept('Archivio')).length, 1);

  // Once more: nothing is left to do.
  await sync();
  assert.deepEqual(await real.kept(), kept);
  assert.equal((await real.kept('Bozze')).length, 1);
}
