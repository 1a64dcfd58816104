import type fc from 'fast-check';

/** What is fuzzed. A file of `targets/` exports one as `target`; the file's name is its name. */
export interface Target {
  /** Folders of `corpus/` with the inputs it starts from; the first takes what is found. */
  readonly corpus: readonly [string, ...string[]];
  /** Files or folders whose lines the report counts. */
  readonly covers: readonly string[];
  /** Takes one input. What it throws is a finding: what the room throws by design it catches itself. */
  run(input: Buffer): Promise<void> | void;
  /** Words of the grammar (Latin-1), for the mutator to put in. */
  readonly words?: readonly string[];
  /** Changes that know the grammar, beside those of `mutate.ts`. */
  readonly mutators?: readonly Mutator[];
  /** Inputs made from nothing. */
  readonly shapes?: fc.Arbitrary<Buffer>;
  /** Octets of an input; 16 KiB if not given. */
  readonly longest?: number;
  /** Before the worker ends. */
  close?(): Promise<void>;
}

/** What a change may draw from. */
export interface Surroundings {
  readonly random: Random;
  readonly words: readonly string[];
  readonly longest: number;
  /** Another input. */
  other(): Buffer;
}

export type Mutator = (input: Buffer, surroundings: Surroundings) => Buffer;

/** The part of test/crash's Random that mutators use. */
export interface Random {
  next(): number;
  between(low: number, high: number): number;
  chance(share: number): boolean;
  pick<T>(choices: readonly T[]): T;
}
