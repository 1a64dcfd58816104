import { type FileHandle, open, readFile } from 'node:fs/promises';
import { CHAIN_START, MerkleAccumulator } from '../ledger/index.js';
import {
  CmsError,
  openSignedFile,
  SignatureError,
  TimestampError,
  type TrustStore,
  verifyTimestamp,
} from '../smime/index.js';
import type { DaySeal, RegisterRow, SealedLane, Store } from '../storage/index.js';
import { dayNamed, dayOf } from './day.js';
import { DayFileReader } from './seal/compare.js';
import { fileHash } from './seal/day-file.js';
import { pathsOf } from './seal/paths.js';
import { entriesOf, headsOf, RegisterTouched } from './seal/run.js';
import { seals } from './verify.js';

export interface SealQuestion {
  readonly store: Pick<Store, 'read'>;
  /** `data/registro` */
  readonly folder: string;
  /** What the gestore's signature is believed on; whose signature it must be. */
  readonly trust: TrustStore;
  readonly signer: string;
  /** What time stamps are believed on; null when no authority is configured. */
  readonly stamps: TrustStore | null;
  /** Of each day the root its entry `sigillo` names. */
  readonly named: ReadonlyMap<string, string>;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** What does not fit a seal. */
export interface SealFault {
  readonly day: string;
  readonly part: number;
  /** The first entry that does not fit, where it is one. */
  readonly entry: {
    readonly lane: number;
    readonly seq: number;
    readonly identificativo: string | null;
  } | null;
  readonly reason: string;
}

export interface SealVerdict {
  /** Whole days that are sealed, and how many of them are deleted. */
  readonly days: number;
  readonly purged: number;
  readonly stamped: number;
  /** The first, or null. */
  readonly fault: SealFault | null;
  readonly warnings: readonly string[];
}

/** Milliseconds by which an authority's clock and ours may differ. */
const TOLERANCE = 5 * 60_000;
const DAY = 24 * 3_600_000;

class Misfit extends Error {
  override readonly name = 'Misfit';
  readonly row: RegisterRow | null;

  constructor(reason: string, row: RegisterRow | null = null) {
    super(reason);
    this.row = row;
  }
}

/**
 * Holds every sealed day to what there is: that days follow one another without a gap, roots to the entries, files to both,
 * time stamps to the roots and files. The chain itself is `verifyRegister`'s.
 */
export async function verifySeals(question: SealQuestion): Promise<SealVerdict> {
  const warnings: string[] = [];
  const count = { days: 0, purged: 0, stamped: 0 };
  const missing = new Map(question.named);
  let previous: DaySeal | undefined;
  for await (const seal of seals(question.store)) {
    try {
      if (seal.part === 0) {
        checkPlace(seal, previous);
        checkNamed(seal, question.named);
        missing.delete(seal.day);
        previous = seal;
        count.days += 1;
        if (seal.state === 'purged') count.purged += 1;
      }
      if (seal.state === 'whole') await checkWhole(question, seal, warnings);
      if (await checkStamps(question, seal, warnings)) count.stamped += 1;
    } catch (error) {
      return { ...count, fault: faultOf(seal, error), warnings };
    }
  }
  for (const [day] of missing) {
    const reason = 'il sigillo del giorno manca / the seal of the day is missing';
    return { ...count, fault: { day, part: 0, entry: null, reason }, warnings };
  }
  const open = previous?.recordedTo ?? (await question.store.read('firstRecordedAt', {}));
  if (open !== null && dayOf(open).to + DAY <= question.now) {
    warnings.push(
      `${dayOf(open).name}: da più di un giorno non è sigillato / over for more than a day and not sealed`,
    );
  }
  return { ...count, fault: null, warnings };
}

function faultOf({ day, part }: DaySeal, error: unknown): SealFault {
  if (error instanceof Misfit) {
    const { row, message } = error;
    const entry = row && { lane: row.lane, seq: row.seq, identificativo: row.identificativo };
    return { day, part, entry, reason: message };
  }
  if (error instanceof RegisterTouched) {
    const { place, identificativo, reason } = error;
    return { day, part, entry: { ...place, identificativo }, reason };
  }
  throw error;
}

/** Where a day stands among the others. */
function checkPlace(seal: DaySeal, previous: DaySeal | undefined): void {
  const day = dayNamed(seal.day);
  if (day === undefined || day.from !== seal.recordedFrom || day.to !== seal.recordedTo) {
    throw new Misfit('il sigillo dice altre ore del giorno / the seal says other hours of the day');
  }
  if (previous !== undefined && previous.recordedTo !== seal.recordedFrom) {
    const gap = dayOf(previous.recordedTo).name;
    throw new Misfit(`mancano i giorni da ${gap} / days are missing from ${gap}`);
  }
  for (const lane of seal.lanes)
    checkLane(
      lane,
      previous?.lanes.find((one) => one.lane === lane.lane),
    );
  const gone = previous?.lanes.find((one) => !seal.lanes.some(({ lane }) => lane === one.lane));
  if (gone !== undefined) throw new Misfit(`manca la corsia ${gone.lane} / lane ${gone.lane} is missing`);
  const entries = seal.lanes.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  if (entries !== seal.entries)
    throw new Misfit('il numero delle righe non torna / the number of entries is wrong');
}

function checkLane(lane: SealedLane, previous: SealedLane | undefined): void {
  const first = (previous?.last ?? 0) + 1;
  const before = previous?.after ?? CHAIN_START.toString('hex');
  const goesOn = lane.first === first && lane.before === before && lane.last >= first - 1;
  if (goesOn && (lane.last >= first || lane.after === before)) return;
  throw new Misfit(
    `la corsia ${lane.lane} non continua dal giorno prima / lane ${lane.lane} does not go on from the day before`,
  );
}

/** The next day's chain names the root. */
function checkNamed({ day, root }: DaySeal, named: ReadonlyMap<string, string>): void {
  const said = named.get(day);
  if (said !== undefined && said !== Buffer.from(root).toString('hex'))
    throw new Misfit(
      'la radice non è quella scritta nel registro / the root is not the one the register names',
    );
}

/** Entries, root and file of a day that is all there. */
async function checkWhole(question: SealQuestion, seal: DaySeal, warnings: string[]): Promise<void> {
  const { store, folder } = question;
  const { file: path } = pathsOf(folder, seal);
  if (seal.fileHash === null)
    warnings.push(`${seal.day}: il file manca ancora / the file is not written yet`);
  const opened = seal.fileHash === null ? undefined : await openDayFile(question, path);
  try {
    const reader = opened && new DayFileReader(opened.chunks());
    await reader?.begin(seal);
    const tree = new MerkleAccumulator();
    for await (const row of entriesOf(store, seal.lanes)) {
      tree.add(row.leaf);
      await reader?.take(row);
    }
    await reader?.end();
    for (const head of headsOf(seal.day, seal.lanes)) tree.add(head);
    const differs = reader?.differs;
    const row = typeof differs === 'object' ? differs : null;
    if (!tree.root().equals(seal.root))
      throw new Misfit(
        'la radice del giorno non corrisponde alle righe / the root of the day does not fit the entries',
        row,
      );
    if (differs !== undefined)
      throw new Misfit(
        `${path}: non dice quanto dice il registro / it does not say what the register says`,
        row,
      );
  } finally {
    await opened?.handle.close();
  }
  await checkHash(path, seal.fileHash);
  await checkHash(pathsOf(folder, seal).csv, seal.csvHash);
}

async function openDayFile(
  { trust, signer }: SealQuestion,
  path: string,
): Promise<{ handle: FileHandle; chunks: () => AsyncIterable<Uint8Array> }> {
  const handle = await unlessMissing(open(path, 'r'), path);
  try {
    const opened = await openSignedFile(handle, { trust });
    if (!opened.signer.emails.some((email) => email.toLowerCase() === signer.toLowerCase()))
      throw new Misfit(`${path}: non è firmato da ${signer} / it is not signed by ${signer}`);
    return { handle, chunks: opened.chunks };
  } catch (error) {
    await handle.close();
    if (!(error instanceof SignatureError) && !(error instanceof CmsError)) throw error;
    throw new Misfit(`${path}: ${error.message}`);
  }
}

async function checkHash(path: string, hash: string | null): Promise<void> {
  if (hash === null || (await unlessMissing(fileHash(path), path)) === hash) return;
  throw new Misfit(`${path}: il file non è quello sigillato / the file is not the one that was sealed`);
}

async function unlessMissing<T>(found: Promise<T>, path: string): Promise<T> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') throw error;
    throw new Misfit(`${path}: il file manca / the file is missing`);
  }
}

/** @returns whether the root is stamped; the stamps outlive the entries */
async function checkStamps(question: SealQuestion, seal: DaySeal, warnings: string[]): Promise<boolean> {
  const { rootStamp, fileStamp } = pathsOf(question.folder, seal);
  const { rootToken, fileToken, fileHash: hash } = seal;
  if (rootToken === null) {
    warnings.push(`${seal.day}: senza marca temporale / without a time stamp`);
    return false;
  }
  await checkStamp(question, seal, { path: rootStamp, token: rootToken, digest: seal.root }, warnings);
  if (fileToken !== null && hash !== null && seal.state === 'whole') {
    const digest = Buffer.from(hash, 'hex');
    await checkStamp(question, seal, { path: fileStamp, token: fileToken, digest }, warnings);
  }
  return true;
}

async function checkStamp(
  { stamps }: SealQuestion,
  { day, sealedAt, recordedTo }: DaySeal,
  { path, token, digest }: { path: string; token: Uint8Array; digest: Uint8Array },
  warnings: string[],
): Promise<void> {
  const onDisk = await unlessMissing(readFile(path), path);
  if (!onDisk.equals(token))
    throw new Misfit(`${path}: non è la marca temporale ottenuta / it is not the time stamp that was given`);
  if (stamps === null) {
    warnings.push(`${day}: marca temporale non verificata, manca "timestamp" / time stamp not verified`);
    return;
  }
  try {
    const { at, accuracy } = await verifyTimestamp(token, { digest, trust: stamps });
    if (at + accuracy + TOLERANCE < sealedAt)
      throw new Misfit(
        `${path}: la marca temporale è più vecchia del sigillo / the time stamp is older than the seal`,
      );
    if (at > recordedTo + DAY)
      warnings.push(`${day}: marcato dopo più di un giorno / stamped after more than a day`);
  } catch (error) {
    if (!(error instanceof TimestampError)) throw error;
    throw new Misfit(`${path}: ${error.message}`);
  }
}
