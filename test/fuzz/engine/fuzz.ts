import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Bench, Stuck } from './bench.js';
import { FINDINGS, writeInput } from './corpus.js';
import { type Failure, hang, leak } from './failure.js';
import { LEAST_LEAK } from './heap.js';
import type { HuntResult } from './hunt.js';
import { minimised } from './minimise.js';

export interface FuzzOptions {
  readonly seconds: number;
  readonly seed: string;
  /** Milliseconds for one input. */
  readonly patience?: number;
  /** Inputs to make, at most; the same every time for a seed. */
  readonly runs?: number;
  /** Milliseconds between looks at the heap. */
  readonly heapEvery?: number;
  /** Where findings are written. */
  readonly findings?: string;
  /** Inputs that reached something new go into the corpus. */
  readonly grow?: boolean;
}

export interface Finding {
  readonly failure: Failure;
  /** Where the input is, as small as it became; undefined when it is not about one input. */
  readonly path: string | undefined;
  /** Whether the input alone brings it about. */
  readonly alone: boolean;
}

export interface FuzzResult {
  readonly findings: readonly Finding[];
  /** Undefined when hangs ended every hunt. */
  readonly hunt: HuntResult | undefined;
  /** Files that were added to the corpus. */
  readonly grown: readonly string[];
}

/** The machine may be busy. */
const PATIENCE_MS = 10_000;
const MINIMISE_MS = 60_000;
const SHORT_PATIENCE_MS = 1_000;
const HANGS = 3;
/** Octets of an input that may go into the corpus. */
const SMALL = 4 * 1024;

/** The names of all targets. */
export const targets = (): string[] =>
  readdirSync(new URL('../targets/', import.meta.url))
    .filter((file) => file.endsWith('.js'))
    .map((file) => basename(file, '.js'))
    .sort();

interface Told {
  readonly input: Buffer | undefined;
  readonly failure: Failure;
}

/** Runs the whole corpus of a target through it, then inputs made from it, as long as asked. */
export async function fuzz(name: string, options: FuzzOptions): Promise<FuzzResult> {
  const bench = new Bench(name, options.patience ?? PATIENCE_MS);
  try {
    const told: Told[] = [];
    const hunt = await huntOn(bench, options, told);
    const findings: Finding[] = [];
    for (const each of told) {
      const finding = await examine(name, each, options);
      // Made small, two inputs may be one.
      const isNew = findings.every(({ path }) => path === undefined || path !== finding?.path);
      if (finding !== undefined && isNew) findings.push(finding);
    }
    const grown = options.grow === true && hunt !== undefined ? await grow(name, hunt.kept) : [];
    return { findings, hunt, grown };
  } finally {
    await bench.close();
  }
}

/** @returns what is wrong with the input of a file */
export async function replay(name: string, input: Buffer): Promise<Failure | undefined> {
  const bench = new Bench(name, PATIENCE_MS * 3);
  try {
    const failure = await bench.attempt(input);
    if (failure !== undefined) return failure;
    const octets = await bench.weigh(input);
    return octets < LEAST_LEAK ? undefined : leak(octets);
  } finally {
    await bench.close();
  }
}

/** Begins again after a hang, with the time that is left. */
async function huntOn(
  bench: Bench,
  { seconds, seed, runs, heapEvery }: FuzzOptions,
  told: Told[],
): Promise<HuntResult | undefined> {
  const end = performance.now() + seconds * 1000;
  const avoid: Buffer[] = [];
  for (let round = 0; round <= HANGS; round += 1) {
    try {
      const known = told.map(({ failure }) => failure.signature);
      const milliseconds = Math.max(0, end - performance.now());
      const options = { seed: `${seed}/${round}`, milliseconds, runs, heapEvery, known, avoid };
      return await bench.hunt(options, (input, failure) => told.push({ input, failure }));
    } catch (error) {
      if (!(error instanceof Stuck)) throw error;
      told.push(error);
      avoid.push(error.input);
    }
  }
  return undefined;
}

/** Tries the input alone in a fresh thread, makes it small and writes it down. A hang that is none alone was a busy machine. */
async function examine(
  name: string,
  { input, failure }: Told,
  options: FuzzOptions,
): Promise<Finding | undefined> {
  if (input === undefined) return { failure, path: undefined, alone: false };
  const isHang = failure.signature === hang(0).signature;
  const patience = (options.patience ?? PATIENCE_MS) * (isHang ? 3 : 1);
  const bench = new Bench(name, patience);
  try {
    const stillFails = async (candidate: Buffer): Promise<boolean> =>
      failure.signature === leak(0).signature
        ? (await bench.weigh(candidate)) >= LEAST_LEAK
        : (await bench.attempt(candidate))?.signature === failure.signature;
    const alone = await stillFails(input);
    if (isHang && !alone) return undefined;
    const small = !alone
      ? input
      : isHang
        ? await smallerHang(name, input, options)
        : await minimised(input, stillFails, MINIMISE_MS);
    return { failure, path: writeInput(join(options.findings ?? FINDINGS, name), small), alone };
  } finally {
    await bench.close();
  }
}

/** A hang in fewer octets. While it is made small a shorter patience may do; what comes of it must hang as long as the first did. */
async function smallerHang(name: string, input: Buffer, options: FuzzOptions): Promise<Buffer> {
  const long = options.patience ?? PATIENCE_MS;
  const hangs = async (candidate: Buffer, patience: number): Promise<boolean> => {
    const bench = new Bench(name, patience);
    try {
      return (await bench.attempt(candidate))?.signature === hang(0).signature;
    } finally {
      await bench.close();
    }
  };
  for (const patience of [Math.min(long, SHORT_PATIENCE_MS), long]) {
    const small = await minimised(input, (candidate) => hangs(candidate, patience), MINIMISE_MS);
    if (small.length < input.length && (await hangs(small, long * 3))) return small;
  }
  return input;
}

/** Small ones first. A fresh thread: the hunt's knows what they reach. */
async function grow(name: string, kept: readonly Buffer[]): Promise<readonly string[]> {
  const small = kept.filter(({ length }) => length <= SMALL).sort((one, other) => one.length - other.length);
  const bench = new Bench(name, PATIENCE_MS);
  try {
    return await bench.grow(small);
  } finally {
    await bench.close();
  }
}
