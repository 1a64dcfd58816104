import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { askTimestamp, type Signer, signAttached, type TimestampAuthority } from '../../smime/index.js';
import type { DaySeal, Store } from '../../storage/index.js';
import { dayNamed, dayOf } from '../day.js';
import { fileHash } from '../seal/day-file.js';
import { pathsOf } from '../seal/paths.js';
import { type PackedDay, type PackedFile, sincroIndex } from './sincro.js';

export interface PackageParts {
  readonly store: Pick<Store, 'read'>;
  /** `data/registro` */
  readonly folder: string;
  readonly signer: Signer;
  readonly authorities: readonly TimestampAuthority[];
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

export interface PackageRequest {
  /** First and last day. */
  readonly from: string;
  readonly to: string;
  /** A folder that is empty or not there. */
  readonly out: string;
  readonly provider: { readonly name: string; readonly mailDomain: string; readonly vat: string };
}

/** A package that cannot be made; the message says why. */
export class PackageError extends Error {
  override readonly name = 'PackageError';
}

const OWNER_ONLY = 0o600;

/**
 * Writes a conservation package: the files of each day, the index (UNI 11386), the index signed and stamped. The index comes
 * last: a folder without it is no package.
 * @throws PackageError when a day of the period is not sealed, or deleted, or a file is not the one that was sealed
 */
export async function writeConservationPackage(
  parts: PackageParts,
  { from, to, out, provider }: PackageRequest,
): Promise<{ index: string; days: number }> {
  const { signer, authorities, clock } = parts;
  await mkdir(out, { recursive: true, mode: 0o700 });
  if ((await readdir(out)).length > 0) throw new PackageError(`${out} is not empty`);
  const days: PackedDay[] = [];
  for (const day of daysBetween(from, to)) days.push(await packDay(parts, day, out));
  const at = clock();
  const id = `urn:ceralacca:registro:${provider.mailDomain}:${from}:${to}`;
  const instant = new Date(at).toISOString();
  const stamped = authorities.length > 0;
  const xml = Buffer.from(sincroIndex({ id, from, to, provider, days, at: instant, stamped }), 'utf8');
  const signed = await signAttached(xml, signer, at);
  const index = join(out, 'PIndex.xml');
  const [authority] = authorities;
  if (authority !== undefined) {
    const digest = createHash('sha256').update(signed).digest();
    const { response } = await askTimestamp(authority, digest);
    await writeFile(`${index}.p7m.tsr`, response, { mode: OWNER_ONLY });
  }
  await writeFile(`${index}.p7m`, signed, { mode: OWNER_ONLY });
  await writeFile(index, xml, { mode: OWNER_ONLY });
  return { index, days: days.length };
}

function* daysBetween(from: string, to: string): Generator<string> {
  let day = dayNamed(from);
  while (day !== undefined && day.name <= to) {
    yield day.name;
    day = dayOf(day.to);
  }
}

async function packDay({ store, folder }: PackageParts, day: string, out: string): Promise<PackedDay> {
  const seal = await store.read('findSeal', { day, part: 0 });
  if (seal === undefined) throw new PackageError(`${day} is not sealed`);
  if (seal.state !== 'whole') throw new PackageError(`${day} was deleted by its age`);
  if (seal.fileHash === null || seal.csvHash === null) throw new PackageError(`${day} has no file yet`);
  const target = join('registro', ...day.split('-').slice(0, 2));
  await mkdir(join(out, target), { recursive: true, mode: 0o700 });
  const files: PackedFile[] = [];
  for (const { path, format, extension, hash } of filesOf(folder, seal)) {
    const inside = join(target, basename(path));
    await copyFile(path, join(out, inside));
    const found = await fileHash(join(out, inside));
    if (hash !== null && hash !== found) throw new PackageError(`${path} is not the file that was sealed`);
    files.push({ path: inside, format, extension, hash: found });
  }
  return { day, entries: seal.entries, root: Buffer.from(seal.root).toString('hex'), files };
}

interface SealedFile {
  readonly path: string;
  readonly format: string;
  readonly extension: string;
  readonly hash: string | null;
}

function filesOf(folder: string, seal: DaySeal): SealedFile[] {
  const { file, csv, rootStamp, fileStamp } = pathsOf(folder, seal);
  const digest = (token: Uint8Array): string => createHash('sha256').update(token).digest('hex');
  const stamp = (path: string, token: Uint8Array | null): SealedFile[] =>
    token === null
      ? []
      : [{ path, format: 'application/timestamp-reply', extension: 'tsr', hash: digest(token) }];
  return [
    { path: file, format: 'application/pkcs7-mime', extension: 'p7m', hash: seal.fileHash },
    { path: csv, format: 'text/csv', extension: 'csv', hash: seal.csvHash },
    ...stamp(rootStamp, seal.rootToken),
    ...stamp(fileStamp, seal.fileToken),
  ];
}
