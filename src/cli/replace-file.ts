import {
  chmodSync,
  closeSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';

/** Puts a text in the place of a file in one step, keeping its mode and owner: a crash leaves the old text or the new one. */
export function replaceFile(path: string, text: string): void {
  const target = realpathSync(path);
  const { mode, uid, gid } = statSync(target);
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(file, text);
      // Whoever edits it, the server's user must be able to read it afterwards.
      if (process.getuid?.() === 0) fchownSync(file, uid, gid);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    chmodSync(temporary, mode & 0o777);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
