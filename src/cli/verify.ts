import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type EvidenceReport,
  noTrust,
  readTrust,
  reportsHtml,
  reportText,
  type TrustFile,
  type TrustMaterial,
  verifyEvidence,
} from '../evidence/index.js';
import { nodeCrypto } from '../smime/index.js';
import { type Call, CommandError, UsageError } from './command.js';
import { exitCode } from './frame.js';

/** Verifies saved messages offline; 0 only when every one is PROVEN. */
export async function run(call: Call): Promise<number> {
  if (call.json && call.flag('html')) throw new UsageError('--json and --html exclude each other');
  const now = Date.now();
  const trust = await trustOf(call.option('trust'), now);
  const originalFile = call.option('original');
  const original =
    originalFile === undefined
      ? undefined
      : { name: originalFile, bytes: await bytesOf(originalFile, 'the original') };
  const reports: EvidenceReport[] = [];
  let allRead = true;
  for (const file of call.arguments) {
    try {
      const bytes = await bytesOf(file, 'the file');
      reports.push(await verifyEvidence({ file, bytes, original, trust, crypto: nodeCrypto, now }));
    } catch (error) {
      // The others are worth their report.
      if (!(error instanceof CommandError)) throw error;
      allRead = false;
      call.remark(`ceralacca: ${error.message}`);
    }
  }
  print(call, reports);
  const proven = allRead && reports.every(({ verdict }) => verdict === 'PROVEN');
  return proven ? exitCode.ok : exitCode.failed;
}

function print(call: Call, reports: readonly EvidenceReport[]): void {
  if (call.json) call.print(JSON.stringify(reports, null, 2));
  else if (call.flag('html')) call.surroundings.out(reportsHtml(reports));
  else call.surroundings.out(reports.map(reportText).join('\n'));
}

/** The files of the folder of trust that may matter; the verifier says what each is worth. */
async function trustOf(folder: string | undefined, now: number): Promise<TrustMaterial> {
  if (folder === undefined) return noTrust;
  const files: TrustFile[] = [];
  for (const name of await namesIn(folder)) {
    if (!/\.(?:pem|crl|ldif|ldif\.p7m)$/i.test(name)) continue;
    files.push({ name, bytes: await bytesOf(join(folder, name), 'the trust file') });
  }
  return readTrust(files, { crypto: nodeCrypto, now });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    throw new CommandError(`cannot read the trust folder ${folder}: ${reasonOf(cause)}`, { cause });
  }
}

async function bytesOf(file: string, what: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new CommandError(`cannot read ${what} ${file}: ${reasonOf(cause)}`, { cause });
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
