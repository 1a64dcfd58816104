import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { LOGIN_SECRET, loginSecret } from '../../src/gestore/login-secret.js';

it('the secret of logins is made once, for its owner alone, and a damaged one is said', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ceralacca-secret-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, 'data');
  const secret = loginSecret(data);
  assert.equal(secret.length, 32);
  assert.deepEqual(loginSecret(data), secret);
  assert.deepEqual(readdirSync(data), [LOGIN_SECRET]);
  assert.equal(statSync(join(data, LOGIN_SECRET)).mode & 0o777, 0o600);
  writeFileSync(join(data, LOGIN_SECRET), 'short');
  assert.throws(() => loginSecret(data), /must be 32 octets/);
  assert.notDeepEqual(loginSecret(join(folder, 'other')), secret);
});
