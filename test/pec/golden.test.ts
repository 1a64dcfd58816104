import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { everyKind, rendered } from './cases.js';

/** CERALACCA_GOLDEN=write writes them anew; read the difference before committing it. */
const FOLDER = 'test/pec/golden';
const writing = process.env.CERALACCA_GOLDEN === 'write';

for (const [name, composed] of await everyKind()) {
  test(`golden: ${name}`, async () => {
    const path = join(FOLDER, `${name}.eml`);
    const bytes = await rendered(composed);
    if (writing) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(path, bytes);
    }
    assert.ok(existsSync(path), `${path} is missing: run with CERALACCA_GOLDEN=write`);
    assert.equal(bytes.toString('latin1'), readFileSync(path, 'latin1'));
  });
}
