// Every target: its whole corpus, and some inputs made from it, the same every time.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Finding, fuzz, targets } from './engine/fuzz.js';

const RUNS = 64;
const folder = mkdtempSync(join(tmpdir(), 'ceralacca-fuzz-'));
after(() => rmSync(folder, { recursive: true }));

const told = ({ failure, path }: Finding): string =>
  `${failure.text}\n${path === undefined ? '' : JSON.stringify(readFileSync(path, 'latin1'))}`;

describe('fuzz targets', { concurrency: 2 }, () => {
  for (const name of targets()) {
    it(name, async () => {
      const bound = { seconds: 300, runs: RUNS, seed: 'test', patience: 60_000, findings: folder };
      const { findings, hunt } = await fuzz(name, bound);
      assert.deepEqual(findings.map(told), []);
      assert.ok(hunt !== undefined && hunt.seeds > 0, 'no corpus');
      assert.ok(hunt.runs >= hunt.seeds + RUNS);
    });
  }
});
