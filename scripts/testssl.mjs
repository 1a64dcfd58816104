// npm run testssl: builds a gestore, asks testssl.sh about each of its listeners, and names every finding above LOW. Some two
// minutes a listener, two at a time. What only says that the certificate is of a CA made by `init` does not count.
// --keep DIR keeps testssl's own pages there.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { freeBase, Gestore } from './demo/gestore.mjs';

const { keep } = parseArgs({ options: { keep: { type: 'string' } } }).values;

/** Milliseconds for one listener. */
const PATIENCE = 15 * 60_000;
const AT_ONCE = 2;

/** What a certificate of a real CA would not bring up. */
const OF_THE_PRIVATE_CA = /^(cert_revocation|cert_chain_of_trust|cert_crl|cert_ocsp|DNS_CAArecord|OCSP_)/;
/** testssl has no scoring for what it could not ask. */
const COUNTED = new Set(['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL']);

const folder = mkdtempSync(join(tmpdir(), 'ceralacca-testssl-'));
const pages = keep === undefined ? join(folder, 'pages') : resolve(keep);
mkdirSync(pages, { recursive: true });
const base = await freeBase(30_000);
const gestore = new Gestore({
  dir: join(folder, 'gestore'),
  name: 'Alfa PEC S.p.A.',
  domain: 'pec.alfa.example',
  base,
});

const listeners = [
  { name: '465 submission', port: base + 465 },
  { name: '587 submission, STARTTLS', port: base + 587, protocol: 'smtp' },
  { name: '25 MX, STARTTLS', port: base + 25, protocol: 'smtp' },
  { name: '995 POP3', port: base + 995 },
  { name: '110 POP3, STLS', port: base + 110, protocol: 'pop3' },
  { name: '443 HTTPS', port: base + 443 },
];

let failed = false;
try {
  await gestore.init();
  await gestore.run(['config', 'set', 'testing', 'false']);
  await gestore.run(['config', 'set', 'listen.pop3', String(base + 110)]);
  await gestore.start();
  const waiting = [...listeners];
  const worker = async () => {
    for (let listener = waiting.shift(); listener !== undefined; listener = waiting.shift()) {
      const findings = await ask(listener);
      const bad = findings.filter(({ id, severity }) => COUNTED.has(severity) && !OF_THE_PRIVATE_CA.test(id));
      console.log(`${listener.name}: ${findings.length} answers, ${bad.length} above LOW`);
      for (const { severity, id, finding } of bad) console.log(`  ${severity} ${id}: ${finding}`);
      for (const { id, finding } of findings.filter(({ severity }) => severity === 'LOW'))
        console.log(`  (LOW ${id}: ${finding})`);
      failed ||= bad.length > 0;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
} finally {
  await gestore.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

/** Everything testssl has to say about one listener. @throws when it says too little to be believed */
async function ask({ port, protocol }) {
  const file = join(pages, `${port}.json`);
  rmSync(file, { force: true });
  const args = ['--quiet', '--color', '0', '--warnings', 'batch', '--openssl', '/usr/bin/openssl'];
  args.push('--add-ca', gestore.caFile, '--jsonfile', file);
  if (protocol !== undefined) args.push('--starttls', protocol);
  await run('testssl', [...args, `127.0.0.1:${port}`]);
  const findings = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  const protocols = findings.filter(({ id }) => /^(TLS1|TLS1_1|TLS1_2|TLS1_3)$/.test(id));
  if (protocols.length < 4) throw new Error(`testssl did not get to talk to port ${port}`);
  return findings;
}

/** testssl's exit code counts findings, so it says nothing of success. */
function run(program, args) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'] });
    const timer = setTimeout(() => child.kill('SIGTERM'), PATIENCE);
    child.on('error', fail);
    child.on('close', () => {
      clearTimeout(timer);
      done();
    });
  });
}
