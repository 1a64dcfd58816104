import { readTrust } from '../../../src/evidence/index.js';
import { nodeCrypto } from '../../../src/smime/index.js';
import { changedElement } from '../der-mutators.js';
import { MADE, trustFiles } from '../signed.js';
import type { Target } from '../target.js';

const NAMES = ['a.pem', 'a.crl', 'a.ldif', 'a.ldif.p7m'];

/** A folder of trust holds whatever somebody put there: a file that cannot be used is a remark. */
export const target: Target = {
  corpus: ['cms', 'ldif', '../trust'],
  covers: ['src/evidence/trust-material'],
  mutators: [changedElement],
  longest: 8192,
  async run(input) {
    const own = trustFiles();
    for (const name of NAMES) {
      await readTrust([...own, { name, bytes: input }], { crypto: nodeCrypto, now: MADE });
    }
  },
};
