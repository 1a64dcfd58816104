/**
 * What it costs to seal, to verify and to delete days of the register, per million entries: time, memory, room on the disk.
 * No time stamps: they are two requests a day, however many entries it has.
 *
 *   node build/test/bench/seal.bench.js [entries] [days]
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { dayOf, purgeDays, writeExtract } from '../../src/registro/index.js';
import { sealedRegister } from '../registro/sealing.js';

const [entries = '1000000', days = '4'] = process.argv.slice(2);
const DAY = 24 * 3_600_000;
const now = Date.now();
const perDay = Math.ceil(Number(entries) / Number(days));
const total = perDay * Number(days);
const register = await sealedRegister();

let highest = 0;
const watch = setInterval(() => {
  highest = Math.max(highest, process.memoryUsage().rss);
}, 20);

async function row(what: string, work: () => Promise<unknown>): Promise<void> {
  const before = process.memoryUsage().rss;
  highest = before;
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const million = (seconds * 1e6) / total;
  const mib = (highest - before) / 2 ** 20;
  console.log(
    `${what.padEnd(44)} ${seconds.toFixed(1).padStart(7)} s  ${million.toFixed(1).padStart(7)} s a million  +${mib.toFixed(0)} MiB at most`,
  );
}

async function sizeOf(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

for (let day = Number(days); day >= 1; day -= 1) {
  const { from } = dayOf(now - day * DAY);
  for (let done = 0; done < perDay; done += 5000) {
    const events = Array.from({ length: Math.min(5000, perDay - done) }, (_, at) => ({
      identificativo: `ceralacca1.${day}.${done + at}@pec.alfa.example`,
    }));
    register.record(from + Math.floor((done / perDay) * DAY * 0.9), events);
  }
}
console.log(`${total} entries in ${days} days`);
await row('seal: roots, signed files, tables', () => register.sealer.sealDue());
const octets = await sizeOf(register.files);
console.log(`${'day files'.padEnd(44)} ${(octets / total).toFixed(0)} octets an entry`);
await row('verify: chain, roots, files, signatures', async () => {
  const { reason } = await register.verify(now);
  if (reason !== null) throw new Error(reason);
});
await row('an extract of one message', () =>
  writeExtract(
    { store: register.store, signer: register.parts.signer, gestore: 'Alfa', clock: Date.now },
    {
      identificativo: `ceralacca1.1.${perDay >> 1}@pec.alfa.example`,
      recipient: undefined,
      requestedBy: 'bench',
      reason: '',
    },
    join(register.folder, 'estratto'),
  ),
);
// An entry of today: the last one of a lane is never deleted.
register.record(now, [{}]);
await row('delete: all of these days', () =>
  purgeDays({ store: register.store, folder: register.files, telemetry: register.telemetry }, now),
);
clearInterval(watch);
await register.remove();
