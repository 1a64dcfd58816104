/** The thread in which a target runs: it hunts when told to, or tries one input after the other. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { Target } from '../target.js';
import { CORPUS, moduleOf, readCorpus, writeInput } from './corpus.js';
import { Coverage } from './coverage.js';
import { type Failure, failureOf } from './failure.js';
import { Heap } from './heap.js';
import { Hunt, type HuntOrder, type HuntResult } from './hunt.js';
import { Slot } from './slot.js';

export type Order =
  | { readonly kind: 'hunt'; readonly options: HuntOrder }
  | { readonly kind: 'attempt'; readonly input: Uint8Array }
  | { readonly kind: 'weigh'; readonly input: Uint8Array }
  /** Those of these inputs that reach what the corpus and those before them do not go into the corpus. */
  | { readonly kind: 'grow'; readonly inputs: readonly Uint8Array[] }
  | { readonly kind: 'close' };

export type Answer =
  | { readonly kind: 'finding'; readonly input: Uint8Array | undefined; readonly failure: Failure }
  | { readonly kind: 'hunted'; readonly result: HuntResult }
  | { readonly kind: 'attempted'; readonly failure: Failure | undefined }
  | { readonly kind: 'weighed'; readonly octets: number }
  | { readonly kind: 'grown'; readonly paths: readonly string[] }
  | { readonly kind: 'closed' };

const { name, memory } = workerData as { name: string; memory: SharedArrayBuffer };
const coverage = new Coverage(new URL('../../../', import.meta.url).href);
const { target } = (await import(moduleOf(name).href)) as { target: Target };
const slot = Slot.at(memory);
let escaped: (error: unknown) => void = () => undefined;
process.on('uncaughtException', (error) => escaped(error));
process.on('unhandledRejection', (reason) => escaped(reason));

const answer = (message: Answer): void => parentPort?.postMessage(message);

/** Buffers arrive as plain arrays. */
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes);

async function attempt(input: Buffer): Promise<Failure | undefined> {
  const errors: unknown[] = [];
  escaped = (error) => errors.push(error);
  slot.begin(input);
  try {
    await target.run(input);
    await new Promise((resolve) => setImmediate(resolve));
  } catch (error) {
    errors.unshift(error);
  } finally {
    slot.end();
  }
  return errors.length === 0 ? undefined : failureOf(errors[0]);
}

/** Inputs that go into the corpus at once. */
const GROWTH = 40;

async function grow(inputs: readonly Buffer[]): Promise<string[]> {
  const paths: string[] = [];
  for (const input of readCorpus(target.corpus).values()) await attempt(input);
  coverage.learn(coverage.look());
  for (const input of inputs) {
    await attempt(input);
    const reached = coverage.look();
    if (!coverage.isNews(reached) || paths.length >= GROWTH) continue;
    coverage.learn(reached);
    paths.push(writeInput(join(CORPUS, target.corpus[0]), input));
  }
  return paths;
}

async function obey(order: Order): Promise<Answer> {
  switch (order.kind) {
    case 'hunt': {
      const avoided = order.options.avoid.map(asBuffer);
      const corpus = [...readCorpus(target.corpus).values()];
      const seeds = corpus.filter((input) => !avoided.some((each) => each.equals(input)));
      const hunt = new Hunt(target, coverage, slot, { ...order.options, seeds }, (input, failure) =>
        answer({ kind: 'finding', input, failure }),
      );
      escaped = (error) => hunt.escaped(error);
      return { kind: 'hunted', result: await hunt.run() };
    }
    case 'attempt':
      return { kind: 'attempted', failure: await attempt(asBuffer(order.input)) };
    case 'weigh': {
      const input = asBuffer(order.input);
      return { kind: 'weighed', octets: await new Heap().weigh(async () => void (await attempt(input))) };
    }
    case 'grow':
      return { kind: 'grown', paths: await grow(order.inputs.map(asBuffer)) };
    case 'close':
      await target.close?.();
      return { kind: 'closed' };
  }
}

parentPort?.on('message', (order: Order) => void obey(order).then(answer));
