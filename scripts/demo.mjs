// npm run demo: two gestori on loopback, a certified message from one to the other, every receipt verified as it
// comes. Keeps serving until Ctrl-C; with --once it ends, with 0 only if every step was verified. --dir DIR keeps
// everything in a folder, which a later run takes up again.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ceralacca, freeBase, Gestore } from './demo/gestore.mjs';
import { fetchNew, send } from './demo/mail.mjs';

/** Milliseconds within which everything must have been seen. */
const PATIENCE = 120_000;
const POLL = 100;

const { once, dir } = parseArgs({
  options: { once: { type: 'boolean', default: false }, dir: { type: 'string' } },
}).values;

const begun = Date.now();
const done = (text) => console.log(`  ✓ ${text}`);
const title = (text) => console.log(`\n${text}`);

/** Everything the demo has made and must put away. */
const made = { gestori: [], folder: undefined };

async function cleanUp(options) {
  await Promise.all(made.gestori.map((gestore) => gestore.stop(options)));
  if (made.folder !== undefined) rmSync(made.folder, { recursive: true, force: true });
}

/** The two gestori with their users: new ones, or those a folder holds already. */
async function prepare() {
  if (dir === undefined) made.folder = mkdtempSync(join(tmpdir(), 'ceralacca-demo-'));
  const folder = made.folder ?? resolve(dir);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'demo.json');
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  const state = known ?? { alfa: await freeBase(10_000), beta: await freeBase(20_000), passwords: {} };
  const alfa = new Gestore({
    dir: join(folder, 'alfa'),
    name: 'Alfa PEC S.p.A.',
    domain: 'pec.alfa.example',
    base: state.alfa,
  });
  const beta = new Gestore({
    dir: join(folder, 'beta'),
    name: 'Beta PEC S.r.l.',
    domain: 'pec.beta.example',
    base: state.beta,
  });
  const user = (local, gestore) => {
    state.passwords[local] ??= randomBytes(9).toString('base64url');
    return { address: `${local}@${gestore.domain}`, password: state.passwords[local], gestore };
  };
  const people = {
    anna: user('anna', alfa),
    bruno: user('bruno', beta),
    service: user('ricevute', alfa),
  };
  if (known === undefined) {
    await create(folder, alfa, beta, people);
    writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
  } else done(`${folder}: si riprende / taken up again`);
  return { folder, alfa, beta, people };
}

async function create(folder, alfa, beta, { anna, bruno, service }) {
  await Promise.all([alfa.init(), beta.init()]);
  for (const { name, domain, dir: place } of [alfa, beta]) done(`${name} (${domain}): ${place}`);
  await Promise.all([
    alfa.addMailbox(anna),
    beta.addMailbox(bruno),
    // The service mailbox is there from the start, without a password.
    alfa.run(['mailbox', 'passwd', service.address, '--password-stdin'], `${service.password}\n`),
  ]);
  done(`caselle / mailboxes: ${anna.address}, ${bruno.address}`);
  const records = { alfa: join(folder, 'alfa.ldif.p7m'), beta: join(folder, 'beta.ldif.p7m') };
  await Promise.all([
    alfa.run(['directory', 'export', '--out', records.alfa]),
    beta.run(['directory', 'export', '--out', records.beta]),
  ]);
  await Promise.all([alfa.know(beta, records.beta), beta.know(alfa, records.alfa)]);
  const trust = join(folder, 'trust');
  mkdirSync(trust, { recursive: true });
  for (const [name, gestore] of Object.entries({ alfa, beta })) {
    writeFileSync(join(trust, `${name}-ca.pem`), gestore.ca);
    writeFileSync(join(trust, `${name}.ldif.p7m`), readFileSync(records[name]));
  }
  done('indici scambiati e firmati / signed directories exchanged');
}

/** The message, byte for byte: what is sent is what the receipts must contain. */
function compose({ anna, bruno }) {
  const id = randomBytes(8).toString('hex');
  return [
    `From: ${anna.address}`,
    `To: ${bruno.address}`,
    'Subject: =?utf-8?Q?Diffida_ad_adempiere_=E2=80=94_prova?=',
    `Message-ID: <${id}@client.example>`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    'Gentile Bruno,',
    'questo messaggio ha valore legale: è sigillato con la ceralacca.',
    '',
  ].join('\r\n');
}

const kinds = {
  accettazione: 'ricevuta di accettazione / acceptance',
  'presa-in-carico': 'presa in carico / taken in charge',
  'avvenuta-consegna': 'ricevuta di consegna / delivery',
  'posta-certificata': 'busta di trasporto / transport envelope',
};

function kindOf(bytes) {
  const header = bytes.subarray(0, bytes.indexOf('\r\n\r\n')).toString('latin1');
  return /^X-(?:Ricevuta|Trasporto): *(\S+)/im.exec(header)?.[1] ?? 'unknown';
}

/** Reads the mailboxes until each message that must come has come; each is verified as it comes. */
async function watch({ folder, people, original }) {
  const { anna, bruno, service } = people;
  const awaited = new Map([
    [anna, ['accettazione', 'avvenuta-consegna']],
    [service, ['presa-in-carico']],
    [bruno, ['posta-certificata']],
  ]);
  const sent = Date.now();
  const proofs = [];
  while ([...awaited.values()].flat().length > 0) {
    for (const [user, missing] of awaited) {
      for (const bytes of await read(user)) {
        const seconds = ((Date.now() - sent) / 1000).toFixed(1);
        const kind = kindOf(bytes);
        if (!missing.includes(kind)) throw new Error(`inatteso / unexpected: ${kind}, ${user.address}`);
        missing.splice(missing.indexOf(kind), 1);
        const file = join(folder, `${kind}.eml`);
        writeFileSync(file, bytes);
        done(`${seconds} s  ${kinds[kind].padEnd(42)} → ${user.address}`);
        const proof = prove(folder, file, kind === 'avvenuta-consegna' ? original : undefined);
        // Awaited below: until then a failure waits.
        proof.catch(() => undefined);
        proofs.push(proof);
      }
    }
    await sleep(POLL);
  }
  await Promise.all(proofs);
}

/** What is new in a user's mailbox over POP3S. */
function read(user) {
  const { gestore, address, password } = user;
  user.known ??= new Set();
  return fetchNew({ port: gestore.port('pop3s'), ca: gestore.ca, user: address, password }, user.known);
}

/** The offline verifier says PROVEN, or the demo has failed. */
async function prove(folder, file, original) {
  const { code, out, err } = await verify(folder, file, original);
  if (code !== 0) throw new Error(`non provato / not proven: ${file}\n${out}${err}`);
  const compared = original === undefined ? '' : ", e contiene l'originale / and holds the original";
  done(`${basename(file)}: PROVEN${compared}`);
}

function verify(folder, file, original) {
  const extra = original === undefined ? [] : ['--original', original];
  return ceralacca(['verify', file, '--trust', join(folder, 'trust'), ...extra]);
}

/** The verifier must also say no. */
async function disprove(folder) {
  const bytes = readFileSync(join(folder, 'avvenuta-consegna.eml'));
  const at = bytes.indexOf('valore legale');
  bytes.write('V', at);
  const file = join(folder, 'contraffatta.eml');
  writeFileSync(file, bytes);
  const { code } = await verify(folder, file);
  if (at < 0 || code !== 1)
    throw new Error('una ricevuta contraffatta è passata / a forged receipt has passed');
  done('una ricevuta con un byte cambiato non è provata / with one byte changed it is not proven');
}

function explain({ folder, alfa, beta, people }) {
  title('In funzione / serving (Ctrl-C per finire / to stop)');
  for (const { gestore, address, password } of [people.anna, people.bruno]) {
    console.log(`\n  ${gestore.name}`);
    console.log(`    HTTPS   https://localhost:${gestore.port('https')}/readyz`);
    console.log(
      `    SMTPS   localhost:${gestore.port('smtps')}   STARTTLS ${gestore.port('submission')}   MX ${gestore.port('mx')}`,
    );
    console.log(`    POP3S   localhost:${gestore.port('pop3s')}`);
    console.log(`    utente / user    ${address}   password  ${password}`);
    console.log(`    CA      ${gestore.caFile}`);
    console.log(`    bin/ceralacca ... -c ${gestore.configFile}`);
  }
  console.log(`\n  ricevute / receipts: ${folder}/*.eml`);
  console.log(
    `  bin/ceralacca verify ${join(folder, 'avvenuta-consegna.eml')} --trust ${join(folder, 'trust')}`,
  );
  console.log(`  log: ${alfa.logFile}, ${beta.logFile}`);
}

async function demo() {
  title('Due gestori / two gestori');
  const place = await prepare();
  const { folder, alfa, beta, people } = place;
  made.gestori.push(alfa, beta);
  await Promise.all([alfa.start(), beta.start()]);
  done(`in ascolto / listening: ${alfa.base}+, ${beta.base}+`);
  // What an earlier run left there is known.
  for (const user of Object.values(people)) await read(user);

  title('Un messaggio certificato / a certified message');
  const { anna, bruno } = people;
  const raw = compose(people);
  const original = join(folder, 'original.eml');
  writeFileSync(original, raw);
  const response = await send({
    port: alfa.port('smtps'),
    ca: alfa.ca,
    user: anna.address,
    password: anna.password,
    message: { envelope: { from: anna.address, to: [bruno.address] }, raw },
  });
  if (!response.startsWith('250 2.0.0 ')) throw new Error(`SMTPS: ${response}`);
  done(`${anna.address} → ${bruno.address}: ${response}`);
  await watch({ folder, people, original });
  await disprove(folder);

  title('Registro / register');
  for (const gestore of [alfa, beta])
    done(`${gestore.name}: ${(await gestore.run(['registro', 'verify'])).trim()}`);
  return place;
}

/** Until a signal or the end of a server. */
function untilToldToStop({ alfa, beta }) {
  return new Promise((told) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => told(signal));
    setInterval(() => {
      const fallen = [alfa, beta].find(({ ended }) => ended);
      if (fallen !== undefined) told(fallen.name);
    }, 500).unref();
  });
}

const interrupted = (signal) => () =>
  void cleanUp({ asked: signal === 'SIGINT' }).finally(() => process.exit(130));
const early = Object.fromEntries(
  ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [signal, interrupted(signal)]),
);
for (const [signal, handler] of Object.entries(early)) process.once(signal, handler);
// Whoever read along has gone (a closed pipe): nothing of ours stays behind.
process.stdout.on('error', () => void cleanUp().finally(() => process.exit(1)));
const watchdog = setTimeout(() => {
  console.error(`\n✗ più di ${PATIENCE / 1000} s / more than ${PATIENCE / 1000} s`);
  void cleanUp().finally(() => process.exit(1));
}, PATIENCE);

try {
  const place = await demo();
  clearTimeout(watchdog);
  for (const [signal, handler] of Object.entries(early)) process.removeListener(signal, handler);
  if (once) {
    await cleanUp();
    console.log(`\n✓ tutto verificato / everything verified (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  } else {
    explain(place);
    const keepAlive = setInterval(() => undefined, 60_000);
    const reason = await untilToldToStop(place);
    clearInterval(keepAlive);
    await cleanUp({ asked: reason === 'SIGINT' });
    process.exitCode = reason.startsWith('SIG') ? 0 : 1;
  }
} catch (error) {
  clearTimeout(watchdog);
  console.error(`\n✗ ${error instanceof Error ? error.message : error}`);
  for (const gestore of made.gestori) console.error(`\n${gestore.name}:\n${gestore.lastWords()}`);
  await cleanUp();
  process.exitCode = 1;
}
