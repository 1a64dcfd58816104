import {
  type EvidenceReport,
  type HashedFile,
  hashFile,
  type Item,
  matchFiles,
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
    files: await hashedFiles(call.option('files')),
  };
  const output = outputOf(call);
  const tally = new Tally(call);
  output.begin();
  await verifyAll(call, question, output, tally);
  output.end();
  return tally.isProven(question) ? exitCode.ok : exitCode.failed;
}

interface Question {
  readonly now: number;
  readonly trust: TrustMaterial;
  readonly original: SuppliedOriginal | undefined;
  readonly files: readonly HashedFile[];
}

async function originalOf(file: string | undefined): Promise<SuppliedOriginal | undefined> {
  return file === undefined ? undefined : { name: file, bytes: await bytesOf(file, 'the original') };
}

/** Only hashes stay: the files may be many and large. */
async function hashedFiles(path: string | undefined): Promise<readonly HashedFile[]> {
  const hashed: HashedFile[] = [];
  for (const file of path === undefined ? [] : await filesAt(path)) {
    hashed.push(await hashFile(file.path, await bytesOf(file.path, 'the attachment'), nodeCrypto));
  }
  return hashed;
}

type Judged = Exclude<Item, { kind: 'other' }>;

async function verifyAll(call: Call, question: Question, output: Output, tally: Tally): Promise<void> {
  const files = await filesOf(call, tally);
  const progress = new Progress(call.surroundings, files.length);
  const report = async (item: Judged, several: boolean): Promise<void> => {
    const one = await reportOf(item, question, several);
    tally.count(one, question.files);
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

function shortened(names: readonly string[], count = names.length): string {
  const more = count > TOLD ? ` and ${count - TOLD} more` : '';
  return `${names.slice(0, TOLD).join(', ')}${more}`;
}

/** What all reports come to. */
class Tally {
  readonly #skipped: string[] = [];
  #reports = 0;
  #skips = 0;
  #proven = true;
  #compared = false;
  readonly #matched = new Set<string>();

  constructor(private readonly call: Call) {}

  count({ verdict, reasons, remarks, checks, original }: EvidenceReport, files: readonly HashedFile[]): void {
    for (const { file } of matchFiles(original, files)) this.#matched.add(file);
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
  isProven({ original, files }: Pick<Question, 'original' | 'files'>): boolean {
    if (this.#skips > 0)
      this.call.remark(`ceralacca: skipped, no mail message: ${shortened(this.#skipped, this.#skips)}`);
    if (this.#reports === 0) this.call.remark('ceralacca: there is no message to verify');
    const asked = original === undefined || this.#compared || this.#reports === 0;
    if (!asked) this.call.remark(`ceralacca: none of the messages is about the original ${original?.name}`);
    const strangers = files.filter(({ name }) => !this.#matched.has(name)).map(({ name }) => name);
    if (strangers.length > 0)
      this.call.remark(`ceralacca: in no brief receipt the hash was found of: ${shortened(strangers)}`);
    return this.#proven && asked && strangers.length === 0 && this.#reports > 0;
  }
}
