import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createTrustStore, type TimestampAuthority } from '../../src/smime/index.js';
import { extendedKeyUsage, keyUsage } from '../../src/smime/keys/issue-certificate.js';
import { Purpose } from '../../src/smime/read/extensions.js';
import { type Authority, createAuthority } from './pki.js';

const run = promisify(execFile);

/** How a stamping authority behaves. */
export type Manner =
  | { readonly kind: 'stamps' }
  /** Gives what it is told, whatever was asked. */
  | { readonly kind: 'answers'; readonly status?: number; readonly type?: string; readonly body: Buffer }
  | { readonly kind: 'silent' };

/** A real authority: `openssl ts` behind HTTP. */
export interface TestAuthority extends TimestampAuthority {
  readonly folder: string;
  /** PEM of its CA. */
  readonly ca: string;
  readonly caFile: string;
  manner: Manner;
  readonly asked: number;
  /** Answers a query without HTTP. */
  stamp(query: Buffer): Promise<Buffer>;
  close(): Promise<void>;
}

export async function startTimestampAuthority(
  options: { readonly essAlgorithm?: 'sha1' | 'sha256'; readonly root?: Authority } = {},
): Promise<TestAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'ceralacca-tsa-'));
  const root = options.root ?? (await createAuthority({ name: 'CA delle marche' }));
  const critical = {
    ...extendedKeyUsage(Purpose.timeStamping),
    critical: true,
  };
  const own = await root.issue({
    subject: [
      ['C', 'IT'],
      ['O', 'Marche S.p.A.'],
      ['CN', `Marca ${randomBytes(3).toString('hex')}`],
    ],
    keys: 'rsa-2048',
    extensions: [keyUsage('digitalSignature'), critical],
  });
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, root.certificatePem);
  await writeFile(join(folder, 'tsa.pem'), own.certificatePem);
  await writeFile(join(folder, 'tsa.key'), own.keyPem, { mode: 0o600 });
  await writeFile(join(folder, 'serial'), '01\n');
  await writeFile(join(folder, 'tsa.cnf'), configuration(folder, options.essAlgorithm ?? 'sha256'));
  let asked = 0;
  let last: Promise<unknown> = Promise.resolve();
  const stampNow = async (query: Buffer): Promise<Buffer> => {
    const [question, answer] = [join(folder, 'query'), join(folder, 'answer')];
    await writeFile(question, query);
    const config = ['-config', join(folder, 'tsa.cnf'), '-section', 'tsa'];
    await run('openssl', ['ts', '-reply', ...config, '-queryfile', question, '-out', answer]);
    return readFile(answer);
  };
  // One after the other: they share the serial number's file.
  const stamp = (query: Buffer): Promise<Buffer> => {
    const next = last.then(() => stampNow(query));
    last = next.catch(() => undefined);
    return next;
  };
  const server = createServer(async (request, response) => {
    asked += 1;
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const { manner } = authority;
    if (manner.kind === 'silent') return;
    const type = manner.kind === 'answers' ? manner.type : undefined;
    const body = manner.kind === 'answers' ? manner.body : await stamp(Buffer.concat(pieces));
    response.writeHead(manner.kind === 'answers' ? (manner.status ?? 200) : 200, {
      'Content-Type': type ?? 'application/timestamp-reply',
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const authority = {
    url: `http://127.0.0.1:${port}/tsr`,
    trust: createTrustStore(root.certificate),
    folder,
    ca: root.certificatePem,
    caFile,
    manner: { kind: 'stamps' } as Manner,
    get asked() {
      return asked;
    },
    stamp,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
  return authority;
}

const configuration = (folder: string, essAlgorithm: string): string => `[tsa]
serial = ${folder}/serial
signer_cert = ${folder}/tsa.pem
signer_key = ${folder}/tsa.key
certs = ${folder}/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = ${essAlgorithm}
`;
