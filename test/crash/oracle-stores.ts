/** What the stores hold against the same promises, both servers stopped: register, tracking, queue, blobs. */
import { readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type Config, loadConfig } from '../../src/config/index.js';
import { cleanSpool } from '../../src/smtp/index.js';
import { openStore, type RegisterRow, type Store } from '../../src/storage/index.js';
import { type Evidence, OUTCOMES } from '../support/evidence.js';
import type { TestGestore } from '../support/gestore.js';
import { evidenceOf } from './evidence.js';
import type { Submission } from './ledger.js';
import { type House, houseOf, outside, type World } from './world.js';

/** Milliseconds: past it a blob waits no more for its commit, and a spooled message for its end. */
const EXPIRED = 3 * 3_600_000;

interface OpenHouse {
  readonly gestore: TestGestore;
  readonly config: Config;
  readonly store: Store;
  readonly register: readonly RegisterRow[];
}

/** @returns the violations */
export async function compareStores(world: World): Promise<string[]> {
  const evidence = evidenceOf(world);
  const houses = { alfa: await open(world, 'alfa'), beta: await open(world, 'beta') };
  try {
    await compareRegisters(world, evidence, houses);
    for (const [house, { store, config }] of Object.entries(houses)) {
      const { due, leased, held } = await store.read('countQueue', {});
      if (due + leased + held > 0) evidence.violated(`${house}: ${due} due, ${leased} leased, ${held} held`);
      await clearSpool(evidence, house, config.paths.spool);
      const now = Date.now() + EXPIRED;
      await store.sweep({ now });
      await store.removeOrphans({ before: now });
    }
  } finally {
    for (const { store } of Object.values(houses)) await store.close();
  }
  for (const [house, { gestore, config }] of Object.entries(houses)) {
    compareBlobs(evidence, house, config);
    const verdict = await gestore.try(['registro', 'verify']);
    if (verdict.code !== 0) evidence.violated(`${house}: registro verify: ${verdict.out}${verdict.err}`);
    await consultDoctor(evidence, house, gestore);
  }
  return evidence.violations;
}

async function open({ pair }: World, house: House): Promise<OpenHouse> {
  const gestore = pair[house];
  const config = loadConfig(gestore.configFile, {});
  const store = await openStore(config.storage);
  const register: RegisterRow[] = [];
  for (let more = true; more; ) {
    const last = register.at(-1);
    const after = last && { lane: last.lane, seq: last.seq };
    const page = await store.read('pageRegister', { after, limit: 1000 });
    register.push(...page);
    more = page.length > 0;
  }
  return { gestore, config, store, register };
}

/** RFC 6109 2.3: what happened is in the register once; and the tracking says the same as the mailboxes. */
async function compareRegisters(
  world: World,
  evidence: Evidence<Submission>,
  houses: Readonly<Record<House, OpenHouse>>,
): Promise<void> {
  const counts = new Map<string, number>();
  const subjects = new Set<string>();
  for (const row of [...houses.alfa.register, ...houses.beta.register]) {
    subjects.add(row.subject);
    for (const about of ['', ...row.recipients]) {
      const key = `${row.identificativo} ${row.event} ${about}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  for (const submission of world.submissions) {
    const [promise] = evidence.promises(submission);
    if (promise === undefined) {
      if (subjects.has(submission.marker)) evidence.violated('no promise, but register entries', submission);
      if (evidence.of(submission).length > 0) evidence.violated('no promise, but messages', submission);
      continue;
    }
    const { identificativo, kind } = promise;
    const once = (event: string, about = ''): void => {
      const times = counts.get(`${identificativo} ${event} ${about}`) ?? 0;
      if (times !== 1)
        evidence.violated(`${times} entries "${event}" ${about} of ${identificativo}`, submission);
    };
    once(kind);
    if (kind !== 'accettazione') continue;
    once('posta-certificata');
    const { store } = houses[houseOf(submission.sender)];
    await compareTracking(evidence, submission, identificativo, store, once);
  }
}

async function compareTracking(
  evidence: Evidence<Submission>,
  submission: Submission,
  identificativo: string,
  store: Store,
  once: (event: string, about: string) => void,
): Promise<void> {
  const outgoing = await store.read('findOutgoing', { identificativo });
  for (const recipient of submission.to) {
    const tracked = outgoing?.tracking.find((row) => row.recipient === recipient);
    if (tracked === undefined) {
      evidence.violated(`${recipient} is not tracked`, submission);
      continue;
    }
    if (outside.includes(recipient)) continue;
    const notes = evidence.take(
      submission,
      submission.sender,
      ({ kind, consegna }) => OUTCOMES.includes(kind) && consegna === recipient,
    );
    const kind = notes[0]?.kind ?? 'none';
    if (tracked.outcome !== kind) {
      evidence.violated(`${recipient}: tracking says ${tracked.outcome}, the mailbox ${kind}`, submission);
    }
    if (tracked.takenAt === null)
      evidence.violated(`${recipient}: tracking knows no presa in carico`, submission);
    once(kind, recipient);
  }
}

/** What dead processes left in the spool goes once it is old: here it is made old. */
async function clearSpool(evidence: Evidence<Submission>, house: string, folder: string): Promise<void> {
  const longAgo = (Date.now() - EXPIRED) / 1000;
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), longAgo, longAgo);
  await cleanSpool(folder);
  const left = readdirSync(folder).length;
  if (left > 0) evidence.violated(`${house}: ${left} files left in the spool`);
}

/** After the sweeper: a file for each large blob, and no other. */
function compareBlobs(evidence: Evidence<Submission>, house: string, { storage }: Config): void {
  if (storage.database.engine !== 'sqlite' || storage.blobs.kind !== 'file') return;
  const db = new Database(storage.database.file, { readonly: true });
  const rows = db.prepare('select hash, size from blob where bytes is null').all() as {
    hash: string;
    size: number;
  }[];
  db.close();
  const files = new Map<string, number>();
  for (const entry of readdirSync(storage.blobs.folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) files.set(entry.name, statSync(join(entry.parentPath, entry.name)).size);
  }
  for (const { hash, size } of rows) {
    const there = files.get(hash);
    if (there !== size)
      evidence.violated(`${house}: blob ${hash} of ${size} octets: ${there ?? 'no'} in its file`);
    files.delete(hash);
  }
  for (const name of files.keys()) evidence.violated(`${house}: ${name} belongs to no blob`);
}

/** Warnings a healthy test gestore has: an antivirus that knows one file, a small disk. */
const USUAL = ['antivirus', 'disk'];

async function consultDoctor(
  evidence: Evidence<Submission>,
  house: string,
  gestore: TestGestore,
): Promise<void> {
  const { code, out, err } = await gestore.try(['doctor', '--deep', '--json']);
  const findings = JSON.parse(out === '' ? '[]' : out) as { check: string; result: string; note: string }[];
  const ill = findings.filter(({ check, result }) => result !== 'ok' && !USUAL.includes(check));
  if (code === 0 && ill.length === 0) return;
  const notes = ill.map(({ check, note }) => `${check}: ${note}`).join('\n  ');
  evidence.violated(`${house}: doctor --deep ends with ${code}\n  ${notes}${err}`);
}
