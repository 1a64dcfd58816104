/**
 * Certified messages a second, from the submission's first octet to the sender's consegna: 10 KB, one recipient, two
 * gestori on this machine, TLS everywhere, every promise synced to the disk. Beside it, in the same run, what one core
 * makes of the bare cycle (crypto, MIME, XML) and of the crypto alone.
 */
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type Pair, type TestGestore, twoGestori } from '../support/gestore.js';
import { bareCycle, pureCrypto, rateOf } from './cycle.js';
import { type LoadRequest, messageOf } from './submit-load.js';

const SIZE = 10_240;
const MESSAGES = Number(process.env.CERALACCA_BENCH_MESSAGES ?? 2000);
const CONNECTIONS = Number(process.env.CERALACCA_BENCH_CONNECTIONS ?? 32);
const LARGE = 30 * 1024 * 1024 - 4096;
const PATIENCE_MS = 300_000;

/** How many consegne have come back to alfa. */
async function delivered(alfa: TestGestore): Promise<number> {
  const { ca, port } = alfa.server(443);
  const text = await new Promise<string>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/metrics', ca, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        body += piece;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
  const line = /receptions_notification_total\{[^}]*kind="avvenuta-consegna"[^}]*\} (\d+)/.exec(text);
  return Number(line?.[1] ?? 0);
}

/** Sends so many and waits for as many consegne. @returns seconds to the last 250, and to the last consegna */
async function run({ alfa, beta }: Pair, messages: number, connections: number, size: number) {
  const { address, password } = alfa.account('anna');
  const request: LoadRequest = {
    ...alfa.server(465),
    sender: address,
    password,
    recipient: beta.address('bruno'),
    messages,
    connections,
    size,
  };
  const before = await delivered(alfa);
  const start = performance.now();
  const accepted = new Promise<number>((resolve, reject) => {
    const worker = new Worker(new URL('./submit-load.js', import.meta.url), { workerData: request });
    worker.on('message', () => resolve((performance.now() - start) / 1000));
    worker.on('error', reject);
  });
  accepted.catch(() => undefined);
  while ((await delivered(alfa)) - before < messages) {
    if (performance.now() - start > PATIENCE_MS) throw new Error('the consegne do not come');
    await sleep(size > SIZE ? 20 : 100);
  }
  return { accepted: await accepted, delivered: (performance.now() - start) / 1000 };
}

const peakMemory = ({ pid }: TestGestore): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

const releases: (() => Promise<void> | void)[] = [];
try {
  const pair = await twoGestori({ after: (release) => void releases.push(release) });
  await run(pair, 100, 8, SIZE);
  const { accepted, delivered: total } = await run(pair, MESSAGES, CONNECTIONS, SIZE);
  const rate = MESSAGES / total;
  const memory = [peakMemory(pair.alfa), peakMemory(pair.beta)];
  const one = await run(pair, 1, 1, SIZE);
  const large = await run(pair, 1, 1, LARGE);
  const largeMemory = [peakMemory(pair.alfa), peakMemory(pair.beta)];
  for (const release of releases.splice(0)) await release();

  const original = Buffer.from(
    messageOf(
      {
        sender: 'anna@pec.alfa.example',
        recipient: 'bruno@pec.beta.example',
        size: SIZE,
        password: '',
        messages: 1,
        connections: 1,
      },
      0,
    ),
  );
  const cycle = await rateOf(3, await bareCycle(original));
  const crypto = await rateOf(3, pureCrypto());
  const row = (name: string, figure: string): string => `${name.padEnd(66)}${figure.padStart(12)}`;
  const megabytes = (figures: readonly number[]): string =>
    figures.map((figure) => figure.toFixed(0)).join(' / ');
  const lines = [
    row('certified messages a second, end to end, two gestori, durable', rate.toFixed(1)),
    row('  the same to the last 250 (accepted)', (MESSAGES / accepted).toFixed(1)),
    row('bare cycle of one core: 4 signatures, 3 verifications, MIME, XML', cycle.toFixed(1)),
    row('pure crypto of one core: the same signatures and verifications', crypto.toFixed(1)),
    row('end to end : bare cycle', (rate / cycle).toFixed(2)),
    row('one message alone: seconds to its consegna', one.delivered.toFixed(3)),
    row('30 MB message: seconds to its consegna', large.delivered.toFixed(2)),
    row('peak memory alfa / beta after the 10 KB run, MiB', megabytes(memory)),
    row('peak memory alfa / beta after the 30 MB message, MiB', megabytes(largeMemory)),
  ];
  console.log(lines.join('\n'));
} finally {
  for (const release of releases) await release();
}
