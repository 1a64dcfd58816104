/** What a gestore's process holds, as the system and as the process itself says; and what lies on its disk. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestGestore } from '../support/gestore.js';
import { metricsOf, sumOf } from '../support/web-client.js';

/** Octets, and counts. */
export interface Reading {
  readonly resident: number;
  /** Of the main isolate, garbage included. */
  readonly heap: number;
  /** Buffers and the like, beside the heap. */
  readonly external: number;
  readonly descriptors: number;
  readonly threads: number;
  /** Connections the gestore counts as open, the one that asks for this left out. */
  readonly sessions: number;
}

/** @throws when the process is gone, or does not answer */
export async function read(gestore: TestGestore): Promise<Reading> {
  // Before the connection that asks for the rest.
  const seen = seenFromOutside(gestore);
  const metrics = await metricsOf(gestore);
  return {
    ...seen,
    heap: sumOf(metrics, 'nodejs_heap_size_used_bytes'),
    external: sumOf(metrics, 'nodejs_external_memory_bytes'),
    sessions: sumOf(metrics, 'ceralacca_sessions_open') - 1,
  };
}

/** What /proc says. */
export function seenFromOutside({ pid }: TestGestore): Pick<Reading, 'resident' | 'descriptors' | 'threads'> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    resident: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]),
  };
}

/** What each descriptor is, with how many there are of it: `socket 12`. */
export function descriptorsOf({ pid }: TestGestore): string {
  const kinds = new Map<string, number>();
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    let kind = 'gone';
    try {
      kind = readlinkSync(`/proc/${pid}/fd/${name}`).replace(/:?\[[^\]]*\]$/, '');
    } catch (error) {
      // Closed since the folder was read.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds].map(([kind, count]) => `${kind} ${count}`).join(', ');
}

/** What the data folder takes, in octets; and messages that are on their way in. */
export interface Disk {
  readonly total: number;
  /** The write-ahead log, of which a checkpoint makes use again. */
  readonly log: number;
  /** Files. */
  readonly spool: number;
}

export async function readDisk({ dir }: TestGestore): Promise<Disk> {
  const data = join(dir, 'data');
  const { size = 0 } = statSync(join(data, 'ceralacca.db-wal'), { throwIfNoEntry: false }) ?? {};
  return { total: await sizeOf(data), log: size, spool: readdirSync(join(data, 'spool')).length };
}

/** @throws when nothing could be summed */
function sizeOf(folder: string): Promise<number> {
  return new Promise((resolve, reject) => {
    // It complains of files that go while it looks, and sums the others.
    execFile('du', ['-sk', folder], (error, out) => {
      const kibibytes = Number.parseInt(out, 10);
      if (Number.isNaN(kibibytes)) reject(error ?? new Error(`du of ${folder} says ${out}`));
      else resolve(kibibytes * 1024);
    });
  });
}

export const mebibytes = (octets: number): string => (octets / 1024 / 1024).toFixed(1);
