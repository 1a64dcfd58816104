import assert from 'node:assert/strict';
import {
  CanonicalGuard,
  decodeBody,
  encodeBase64,
  encodeQuotedPrintable,
  MimeError,
} from '../../../src/mime/index.js';
import { Rope } from '../../../src/rope/index.js';
import { inPieces } from '../../support/ropes.js';
import { toleratedLater } from '../expect.js';
import type { Target } from '../target.js';

const ENCODINGS = ['base64', 'quoted-printable', '7bit', ' BASE64 ', 'x-unknown'];

export const target: Target = {
  corpus: ['transfer-encoding'],
  covers: ['src/mime/decode', 'src/mime/encode'],
  words: ['=\r\n', '=3D', '=c3=a0', '= \t\r\n', '==', '=', '\r\n', ' \r\n', '\n', 'QUJD', 'QQ==', '\t'],
  longest: 8192,
  async run(input) {
    const at = input[0] ?? 0;
    for (const encoding of ENCODINGS) {
      const whole = await decodeBody(Rope.of(input), encoding, input.length);
      const pieces = await decodeBody(inPieces(input, [at, at * 3, at * 7]), encoding, input.length);
      assert.ok(whole.equals(pieces), `${encoding} depends on how it is cut`);
      const limit = Math.max(0, whole.length - 1);
      const short = await toleratedLater(() => decodeBody(Rope.of(input), encoding, limit), MimeError);
      assert.ok(short === undefined || short.length <= limit, `${encoding} over its limit`);
    }
    const base64 = encodeBase64(input);
    assert.ok((await decodeBody(Rope.of(base64), 'base64', input.length)).equals(input), 'base64');
    const printable = encodeQuotedPrintable(input);
    for (const line of printable.split('\r\n')) assert.match(line, /^[\t\x20-\x7e]{0,76}$/);
    const decoded = await decodeBody(Rope.of(printable), 'quoted-printable', input.length);
    assert.ok(decoded.equals(input), 'quoted-printable');
    const guard = new CanonicalGuard();
    guard.push(Buffer.from(printable, 'latin1'));
    guard.end();
    assert.equal(guard.fault, undefined);
  },
};
