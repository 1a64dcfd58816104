/**
 * IMAP beside Dovecot: the same mailbox, the same client, one run in which the two take turns. In clear on loopback on both
 * sides, what is stored is synced to the disk on both sides. Medians; a ratio above 1: Ceralacca is faster.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCeralacca } from './imap/ceralacca.js';
import type { Contender } from './imap/contender.js';
import { dovecotVersion, FORMAT, startDovecot } from './imap/dovecot.js';
import { fill, MESSAGES } from './imap/mailbox.js';
import { APPEND_FOLDERS, loggedIn, type Place, type Row, rows } from './imap/rows.js';

const RUNS = Number(process.env.CERALACCA_BENCH_RUNS ?? 5);
/** Only rows whose name fits this expression. */
const ONLY = new RegExp(process.env.CERALACCA_BENCH_ROWS ?? '');

const median = (figures: readonly number[]): number => {
  const sorted = [...figures].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

async function prepared(contender: Contender): Promise<Place> {
  const client = await loggedIn(contender.port);
  await fill(client);
  for (const folder of APPEND_FOLDERS) await client.command(`CREATE ${folder}`);
  await contender.settled();
  return { port: contender.port, client };
}

/** What was found, by lines: untagged ones that are news apart. */
const found = async (place: Place, command: string): Promise<string> =>
  (await place.client.ask(command))
    .split('\r\n')
    .filter((line) => /^\* (?:SEARCH|SORT|THREAD)\b/.test(line))
    .join('\n')
    .trim();

/** Rates, one list a place; the places take turns, and turns at being first. */
async function measure(row: Row, places: readonly Place[]): Promise<number[]> {
  for (const place of places) {
    await place.client.command(`SELECT ${row.folder}`);
    await row.run(place);
  }
  if (row.same !== undefined) {
    const answers: string[] = [];
    for (const place of places) answers.push(await found(place, row.same));
    if (answers.some((answer) => answer !== answers[0])) throw new Error(`they differ on ${row.same}`);
  }
  const rates = places.map((): number[] => []);
  for (let run = 0; run < RUNS; run += 1) {
    const turns = [...places.entries()];
    for (const [at, place] of run % 2 === 0 ? turns : turns.reverse()) {
      const { count, milliseconds } = await row.run(place);
      rates[at]?.push((count * 1000) / milliseconds);
    }
  }
  return rates.map(median);
}

const figure = (rate: number | undefined): string =>
  rate === undefined ? '-' : rate < 100 ? rate.toFixed(1) : String(Math.round(rate));

const folder = await mkdtemp(join(process.env.CERALACCA_BENCH_DIR ?? tmpdir(), 'ceralacca-bench-imap-'));
// Dovecot may be another user's.
await chmod(folder, 0o711);
const contenders: Contender[] = [];
try {
  const ours = await startCeralacca(join(folder, 'ceralacca'));
  contenders.push(ours);
  const version = dovecotVersion();
  if (version === undefined)
    console.log('Dovecot is not installed (Debian: dovecot-imapd): no figures of it.');
  else contenders.push(await startDovecot(join(folder, 'dovecot'), ours.passwordHash));
  const places: Place[] = [];
  for (const contender of contenders) places.push(await prepared(contender));
  const peer = version === undefined ? 'Dovecot: absent' : `Dovecot ${version}, ${FORMAT}`;
  console.log(`IMAP, ${MESSAGES} messages, in clear, medians of ${RUNS} runs by turns; a second:`);
  console.log(`${''.padEnd(66)}${'Ceralacca'.padStart(11)}${peer.padStart(26)}${'ratio'.padStart(8)}`);
  for (const row of rows.filter(({ name }) => ONLY.test(name))) {
    const [rate, other] = await measure(row, places);
    const ratio = rate === undefined || other === undefined ? '-' : (rate / other).toFixed(2);
    const name = `${row.name}, ${row.unit}`;
    console.log(
      `${name.padEnd(66)}${figure(rate).padStart(11)}${figure(other).padStart(26)}${ratio.padStart(8)}`,
    );
  }
} finally {
  for (const contender of contenders) await contender.stop();
  await rm(folder, { recursive: true, force: true });
}
