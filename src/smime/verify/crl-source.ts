import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Crl, readCrls } from '../read/crl.js';
import type { Download, FetchLimits, Reach } from './download.js';

/** Where revocation lists come from: a path, or a URL (http, https, file). */
export type CrlLocation = { readonly file: string } | { readonly url: string };

/** One place lists come from, and what came from it. Loading never rejects: it leaves `failure` behind. */
export interface CrlSource {
  readonly name: string;
  readonly crls: readonly Crl[];
  /** Why the last attempt failed. */
  readonly failure: { readonly reason: string } | undefined;
  /** Looks again if it is time to, or in any case with `force`. */
  load(now: Times, force?: boolean): Promise<void>;
}

/** Milliseconds: of the system clock, that lists are dated by, and of the monotonic one, that waits are counted by. */
export interface Times {
  readonly wall: number;
  readonly steady: number;
}

/** A file is looked at again after this long, so that a list put in place counts without a restart. */
const FILE_LOOK = 1000;
/** A URL that failed is left alone for this long. */
const RETRY = 30_000;

/** @throws TypeError for a URL of another scheme */
export function openSource(
  location: CrlLocation,
  limits: FetchLimits,
  maxAge: number,
  { download, reach }: { readonly download: Download; readonly reach: Reach },
): CrlSource {
  if ('file' in location) return fileSource(location.file, limits);
  const url = new URL(location.url);
  if (url.protocol === 'file:') return fileSource(fileURLToPath(url), limits);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError(`CRL: only http, https and file are read, not ${url.protocol}`);
  }
  return source(location.url, {
    due: (now, state) => {
      const waited = now.steady - state.tried;
      if (state.failure !== undefined) return waited >= RETRY;
      return waited >= maxAge || (waited >= RETRY && state.crls.some((crl) => crl.nextUpdate < now.wall));
    },
    read: async () => readCrls(await download(url, limits, reach)),
    // A list still good is used while a newer one is on its way.
    wait: (now, state) => !state.crls.some((crl) => crl.nextUpdate >= now.wall),
  });
}

interface State {
  crls: readonly Crl[];
  failure: CrlSource['failure'];
  /** When it was last tried, on the monotonic clock. */
  tried: number;
}

interface Place {
  due(now: Times, state: State): boolean;
  /** The lists; undefined when they are what they were. */
  read(): Promise<readonly Crl[] | undefined>;
  wait(now: Times, state: State): boolean;
}

function source(name: string, place: Place): CrlSource {
  const state: State = { crls: [], failure: undefined, tried: Number.NEGATIVE_INFINITY };
  let running: Promise<void> | undefined;
  const attempt = async (): Promise<void> => {
    try {
      state.crls = (await place.read()) ?? state.crls;
      state.failure = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      state.failure = { reason };
    }
  };
  return {
    name,
    get crls() {
      return state.crls;
    },
    get failure() {
      return state.failure;
    },
    async load(now, force = false) {
      if (running === undefined && (force || place.due(now, state))) {
        state.tried = now.steady;
        running = attempt().finally(() => {
          running = undefined;
        });
      }
      if (running !== undefined && (force || place.wait(now, state))) await running;
    },
  };
}

function fileSource(file: string, limits: FetchLimits): CrlSource {
  let seen = '';
  return source(file, {
    due: (now, state) => now.steady - state.tried >= FILE_LOOK,
    async read() {
      const { size, mtimeMs, ino } = await stat(file);
      const mark = `${size} ${mtimeMs} ${ino}`;
      if (mark === seen) return undefined;
      if (size > limits.size) throw new RangeError(`${file}: ${size} octets are too many for a CRL`);
      const crls = readCrls(await readFile(file));
      // Only now: a file caught half-written is looked at again.
      seen = mark;
      return crls;
    },
    wait: () => true,
  });
}
