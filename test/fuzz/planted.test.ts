// The negative control: what is planted is found, made small, written down and found again from what was written.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Finding, fuzz, replay } from './engine/fuzz.js';

const findings = mkdtempSync(join(tmpdir(), 'ceralacca-fuzz-'));
after(() => rmSync(findings, { recursive: true }));

const hunted = async (name: string, patience?: number): Promise<Finding> => {
  const bound = { seconds: 300, runs: 400, seed: 'planted', heapEvery: 0, findings };
  const result = await fuzz(name, patience === undefined ? bound : { ...bound, patience });
  const [finding] = result.findings;
  assert.ok(finding !== undefined, 'nothing found');
  return finding;
};

/** The input that was written down. */
function written({ path, alone }: Finding): Buffer {
  assert.ok(alone && path !== undefined);
  assert.ok(path.startsWith(findings));
  return readFileSync(path);
}

describe('what is planted is found', () => {
  it('an error that nobody catches', async () => {
    const finding = await hunted('planted/crash');
    assert.match(finding.failure.text, /TypeError/);
    assert.equal(written(finding).toString(), ':"');
    assert.match((await replay('planted/crash', Buffer.from(':"')))?.text ?? '', /TypeError/);
    assert.equal(await replay('planted/crash', Buffer.from('":')), undefined);
  });

  it('an answer that is wrong', async () => {
    const finding = await hunted('planted/falsehood');
    assert.match(finding.failure.text, /AssertionError/);
    assert.equal(written(finding).toString(), '%00');
  });

  it('an input that does not come back', async () => {
    const finding = await hunted('planted/hang', 300);
    assert.match(finding.failure.text, /did not come back/);
    assert.equal(written(finding).toString(), '=?');
  });

  it('memory that stays', async () => {
    const finding = await hunted('planted/leak');
    assert.match(finding.failure.text, /octets stay in memory/);
    assert.equal(written(finding).toString(), '<');
  });
});
