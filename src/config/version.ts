import { readFileSync } from 'node:fs';

/** Version of the package this file belongs to, wherever the build put it. */
export function programVersion(): string {
  for (let folder = new URL('./', import.meta.url); ; folder = new URL('../', folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
      if (name === 'ceralacca') return String(version);
    } catch (error) {
      const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!absent) throw error;
    }
    if (folder.pathname === '/') throw new Error('the package.json of ceralacca is not there');
  }
}
