/**
 * What a gestore's process holds when its garbage is gone. Loaded beside the server (`--import`), this listens for SIGUSR2,
 * collects and tells; with CERALACCA_HEAP_SNAPSHOTS=DIR it leaves a heap snapshot there each time, for a browser's tools.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';
import type { TestGestore } from '../support/gestore.js';

/** Octets. */
export interface Weight {
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
}

const LINE = /^weighed (.+)$/m;
/** Milliseconds: generous; reached only when something is broken. */
const PATIENCE = 120_000;

/** To be called before the gestore starts. */
export function makeWeighable(gestore: TestGestore): void {
  gestore.nodeOptions.push('--expose-gc', '--import', import.meta.url);
}

/** Collects in a gestore's process, and weighs it. */
export async function weigh(gestore: TestGestore): Promise<Weight> {
  const before = gestore.log.length;
  process.kill(gestore.pid ?? 0, 'SIGUSR2');
  for (const deadline = performance.now() + PATIENCE; ; await sleep(20)) {
    const line = LINE.exec(gestore.log.slice(before))?.[1];
    if (line !== undefined) return JSON.parse(line) as Weight;
    if (performance.now() > deadline) throw new Error(`${gestore.name} is not weighed`);
  }
}

/** What is freed in one collection may free more in the next: finalizers, handles that close. */
const COLLECTIONS = 3;

async function tellWeight(): Promise<void> {
  for (let turn = 0; turn < COLLECTIONS; turn += 1) {
    globalThis.gc?.();
    await sleep(50);
  }
  const folder = process.env.CERALACCA_HEAP_SNAPSHOTS;
  if (folder !== undefined) writeHeapSnapshot(`${folder}/${process.pid}-${Date.now()}.heapsnapshot`);
  const { rss, heapUsed, external } = process.memoryUsage();
  const weight: Weight = { resident: rss, heap: heapUsed, external };
  process.stdout.write(`weighed ${JSON.stringify(weight)}\n`);
}

// In the server's process; whoever imports this to weigh one has another main file.
if (process.execArgv.includes(import.meta.url)) process.on('SIGUSR2', () => void tellWeight());
