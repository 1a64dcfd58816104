import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ProgramResult {
  readonly ok: boolean;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs openssl with these arguments. */
export function openssl(...args: readonly string[]): ProgramResult {
  const { status, stdout, stderr } = spawnSync('openssl', args, { maxBuffer: 64 * 1024 * 1024 });
  return { ok: status === 0, stdout, stderr: stderr.toString() };
}

/** A folder for the files of one test file; `remove` belongs in `after`. */
export interface Scratch {
  path(name: string): string;
  /** Writes a file and gives its path. */
  write(name: string, content: string | Uint8Array): string;
  remove(): void;
}

export function scratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'ceralacca-test-'));
  const path = (name: string): string => join(folder, name);
  return {
    path,
    write(name, content) {
      writeFileSync(path(name), content, { mode: 0o600 });
      return path(name);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
