import assert from 'node:assert/strict';
import { encodePhrase, parseAddresses } from '../../../src/mime/index.js';
import { addressKey, isValidAddress } from '../../../src/pec/index.js';
import { isAddress, parsePathCommand } from '../../../src/smtp/path.js';
import { assertOneLine } from '../expect.js';
import type { Target } from '../target.js';
import { addressWords } from '../words.js';

export const target: Target = {
  corpus: ['addresses'],
  covers: ['src/mime/address', 'src/smtp/path', 'src/pec/recipients'],
  words: addressWords,
  longest: 4096,
  run(input) {
    const raw = input.toString('latin1');
    const { mailboxes } = parseAddresses(raw);
    for (const { name, address } of mailboxes) {
      assertOneLine(name);
      assertOneLine(address);
      // What was read is read again from what it was written as.
      const again = parseAddresses(Buffer.from(address, 'utf8').toString('latin1'));
      assert.deepEqual(
        again.mailboxes.map((each) => each.address),
        [address],
      );
      const written = name === '' ? `<${address}>` : `${encodePhrase(name)} <${address}>`;
      const unfolded = Buffer.from(written.replaceAll('\r\n', ''), 'utf8').toString('latin1');
      assert.deepEqual(
        parseAddresses(unfolded).mailboxes.map((each) => each.address),
        [address],
      );
      addressKey(address);
      isValidAddress(address);
    }
    const path = parsePathCommand(input.toString('utf8'));
    if (path === undefined || path.address === '' || /^postmaster$/i.test(path.address)) return;
    assert.ok(isAddress(path.address));
    assertOneLine(path.address);
    assert.equal(parsePathCommand(`<${path.address}>`)?.address, path.address);
  },
};
