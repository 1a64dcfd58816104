/** Whom the signed messages of the corpus are verified by: a CA, a directory and a revocation list made with them (make-signed.ts). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrustFile } from '../../src/evidence/index.js';

export const TRUST = join('test', 'fuzz', 'trust');
/** Epoch milliseconds: inside the validity of all certificates. */
export const MADE = Date.parse('2026-11-25T20:29:52Z');

export const trustFiles = (): TrustFile[] =>
  readdirSync(TRUST).map((name) => ({ name, bytes: readFileSync(join(TRUST, name)) }));
