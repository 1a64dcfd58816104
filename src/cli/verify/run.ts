import {
  type EvidenceReport,
  type Item,
  oddReport,
  openFile,
  type SuppliedOriginal,
  type TrustMaterial,
  verifyEvidence,
} from '../../evidence/index.js';
import { nodeCrypto } from '../../smime/index.js';
import { type Call, CommandError, UsageError } from '../command.js';
import { exitCode } from '../frame.js';
import { bytesOf, type Found, filesAt, reading } from './files.js';
import { type Output, outputOf } from './output.js';
import { Progress } from './progress.js';
import { trustOf } from './trust.js';

/** Verifies saved messages offline; 0 only when there is one and every one is PROVEN. */
export async function run(call: Call): Promise<number> {
  if (call.json && call.flag('html')) throw new UsageError('--json and --html exclude each other');
  const now = Date.now();
  const question: Question = {
    now,
    trust: await trustOf(call.option('trust'), now),
    original: await originalOf(call.option('original')),
  };
  const output = outputOf(call);
  const tally = new Tally(call);
  output.begin();
  await verifyAll(call, question, output, tally);
  output.end();
  return tally.isProven(question.original) ? exitCode.ok : exitCode.failed;
}

interface Question {
  readonly now: number;
  readonly trust: TrustMaterial;
  readonly original: SuppliedOriginal | undefined;
}

async function originalOf(file: string | undefined): Promise<SuppliedOriginal | undefined> {
  return file === undefined ? undefined : { name: file, bytes: await bytesOf(file, 'the original') };
}

type Judged = Exclude<Item, { kind: 'other' }>;

async function verifyAll(call: Call, question: Question, output: Output, tally: Tally): Promise<void> {
  const files = await filesOf(call, tally);
  const progress = new Progress(call.surroundings, files.length);
  const report = async (item: Judged, several: boolean): Promise<void> => {
    const one = await reportOf(item, question, several);
    tally.count(one);
    progress.clear();
    output.add(one);
  };
  // Whether it is the only one shows with the next.
  let first: Judged | undefined;
  let several = false;
  for await (const item of itemsOf(files, tally, progress)) {
    progress.show();
    if (item.kind === 'other') tally.skip(item.name);
    else if (several) await report(item, true);
    else if (first === undefined) first = item;
    else {
      several = true;
      await report(first, true);
      await report(item, true);
    }
  }
  if (first !== undefined && !several) await report(first, false);
  progress.clear();
}

async function filesOf(call: Call, tally: Tally): Promise<readonly Found[]> {
  const files: Found[] = [];
  for (const path of call.arguments) {
    try {
      // One by one: a folder may hold more files than a call takes arguments.
      for (const file of await filesAt(path)) files.push(file);
    } catch (error) {
      tally.fail(error);
    }
  }
  return files;
}

async function* itemsOf(
  files: readonly Found[],
  tally: Tally,
  progress: Progress,
): AsyncGenerator<Item, void, undefined> {
  for (const { path, named } of files) {
    progress.nextFile();
    try {
      yield* reading(path, (file) => openFile({ name: path, file, named }));
    } catch (error) {
      // The others are worth their report.
      progress.clear();
      tally.fail(error);
    }
  }
}

async function reportOf(item: Judged, question: Question, several: boolean): Promise<EvidenceReport> {
  const { name } = item;
  if (item.kind === 'odd') return oddReport(name, item.oddity, item.detail);
  const { bytes, fromMbox } = item;
  const { original } = question;
  return verifyEvidence({
    ...question,
    file: name,
    bytes,
    fromMbox,
    original: original && { ...original, onlyIfAbout: several },
    crypto: nodeCrypto,
  });
}

/** Names that are told of what was skipped; of the others only how many. */
const TOLD = 5;

/** What all reports come to. */
class Tally {
  readonly #skipped: string[] = [];
  #reports = 0;
  #skips = 0;
  #proven = true;
  #compared = false;

  constructor(private readonly call: Call) {}

  count({ verdict, reasons, remarks, checks }: EvidenceReport): void {
    this.#reports += 1;
    if (verdict !== 'PROVEN') this.#proven = false;
    this.#compared ||= [reasons, remarks, checks].flat().some(({ code }) => code.startsWith('original-'));
  }

  skip(name: string): void {
    this.#skips += 1;
    if (this.#skipped.length < TOLD) this.#skipped.push(name);
  }

  /** A file that could not be read. */
  fail(error: unknown): void {
    if (!(error instanceof CommandError)) throw error;
    this.#proven = false;
    this.call.remark(`ceralacca: ${error.message}`);
  }

  /** Says also what no report could. */
  isProven(original: SuppliedOriginal | undefined): boolean {
    if (this.#skips > 0) {
      const more = this.#skips > TOLD ? ` and ${this.#skips - TOLD} more` : '';
      this.call.remark(`ceralacca: skipped, no mail message: ${this.#skipped.join(', ')}${more}`);
    }
    if (this.#reports === 0) this.call.remark('ceralacca: there is no message to verify');
    const asked = original === undefined || this.#compared || this.#reports === 0;
    if (!asked) this.call.remark(`ceralacca: none of the messages is about the original ${original?.name}`);
    return this.#proven && asked && this.#reports > 0;
  }
}
