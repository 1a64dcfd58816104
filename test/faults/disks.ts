/** Small disks under a gestore's data/: file systems in memory, mounted for one test. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestGestore } from '../support/gestore.js';

/** Why no disk can be mounted here, for the `skip` option of node:test; false where it can. @throws as `needs` */
export function needsMount(): string | false {
  const folder = mkdtempSync(join(tmpdir(), 'ceralacca-mount-'));
  try {
    mount(folder, '64k');
    unmount(folder);
    return false;
  } catch (error) {
    const reason = `no file system can be mounted: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env.CERALACCA_REQUIRE_ALL === '1') throw new Error(reason);
    return reason;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}`);
}

const mount = (folder: string, size: string): void =>
  run('mount', '-t', 'tmpfs', '-o', `size=${size},mode=700`, 'ceralacca-test', folder);
const unmount = (folder: string): void => run('umount', '-l', folder);

/** A disk of its own for a folder of a gestore that does not run. */
export class SmallDisk {
  readonly #filler: string;

  private constructor(readonly folder: string) {
    this.#filler = join(folder, 'filler');
  }

  /** @param inside folder below the gestore's, `data` or in it; what is there moves onto the disk */
  static on(gestore: TestGestore, inside: string, size: string): SmallDisk {
    const folder = join(gestore.dir, inside);
    const aside = `${folder}.aside`;
    mkdirSync(folder, { recursive: true });
    cpSync(folder, aside, { recursive: true });
    mount(folder, size);
    gestore.releases.push(() => unmount(folder));
    cpSync(aside, folder, { recursive: true });
    rmSync(aside, { recursive: true });
    return new SmallDisk(folder);
  }

  /** Octets. */
  get free(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }

  /** Takes all room but so many octets. */
  fill(left = 0): void {
    this.clear();
    const wanted = this.free - left;
    if (wanted > 0) writeFileSync(this.#filler, Buffer.alloc(wanted));
  }

  clear(): void {
    rmSync(this.#filler, { force: true });
  }

  readOnly(yes: boolean): void {
    run('mount', '-o', `remount,${yes ? 'ro' : 'rw'}`, this.folder);
  }
}
