import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Header } from '../../src/mime/index.js';
import { receiptForms } from '../../src/pec/receipt-form.js';
import { receiptType } from '../../src/pec/receipt-type.js';
import type { ReceiptType } from '../../src/pec/types.js';
import { headerOf } from './checking-support.js';

const A = 'anna@pec.beta.example';
const B = 'bruno@pec.beta.example';

const receiptFormFor = (recipient: string, postacert: Header, asked: ReceiptType, outer = postacert) =>
  receiptForms(postacert, outer, asked)(recipient);

describe('the kind of receipt asked for', () => {
  test('is read without regard to case', async () => {
    assert.equal(receiptType(await headerOf('X-Tiporicevuta: Breve')), 'breve');
    assert.equal(receiptType(await headerOf('X-TipoRicevuta:   sintetica ')), 'sintetica');
  });

  test('absent or unknown means completa', async () => {
    assert.equal(receiptType(await headerOf('Subject: x')), 'completa');
    assert.equal(receiptType(await headerOf('X-TipoRicevuta: lunga')), 'completa');
    assert.equal(receiptType(await headerOf('X-TipoRicevuta:')), 'completa');
  });
});

describe('the form one recipient gets', () => {
  test('decisions 28: a Cc recipient gets the concise form of whatever was asked', async () => {
    const header = await headerOf(`To: ${A}`, `Cc: Bruno <${B.toUpperCase()}>`);
    for (const asked of ['completa', 'breve', 'sintetica'] as const) {
      assert.equal(receiptFormFor(A, header, asked), asked);
      assert.equal(receiptFormFor(B, header, asked), 'sintetica');
    }
  });

  test('decisions 5: an address in both To and Cc counts as primary', async () => {
    const header = await headerOf(`To: ${A}, ${B}`, `Cc: ${B}`);
    assert.equal(receiptFormFor(B, header, 'breve'), 'breve');
  });

  test('decisions 5: an address in neither counts as primary', async () => {
    const header = await headerOf(`To: ${A}`, `Cc: ${A}`);
    assert.equal(receiptFormFor(B, header, 'completa'), 'completa');
  });

  test('decisions 5: an address differing outside counts as primary', async () => {
    const inside = await headerOf(`To: ${A}`, `Cc: ${B}`);
    const outside = await headerOf(`To: ${A}, ${B}`);
    assert.equal(receiptFormFor(B, inside, 'completa', inside), 'sintetica');
    assert.equal(receiptFormFor(B, inside, 'completa', outside), 'completa');
    assert.equal(receiptFormFor(B, outside, 'completa', inside), 'completa');
  });

  test('RFC 6109 3.3.2.1: ambiguity in To or Cc counts as primary', async () => {
    const twice = await headerOf(`To: ${A}`, `Cc: ${B}`, `Cc: ${B}`);
    assert.equal(receiptFormFor(B, twice, 'completa'), 'completa');
    const broken = await headerOf('To: <anna@', `Cc: ${B}`);
    assert.equal(receiptFormFor(B, broken, 'completa'), 'completa');
  });

  test('To and Cc are read once for all recipients, and not at all when nobody needs them', async () => {
    const read: string[] = [];
    const watched = (header: Header): Header =>
      Object.assign(Object.create(header) as Header, {
        all: (name: string) => {
          read.push(name);
          return header.all(name);
        },
      });
    const header = watched(await headerOf(`To: ${A}`, `Cc: ${B}`));
    const forms = receiptForms(header, header, 'breve');
    assert.deepEqual(read, []);
    for (let turn = 0; turn < 3; turn++)
      assert.deepEqual([A, B, B.toUpperCase()].map(forms), ['breve', 'sintetica', 'sintetica']);
    assert.deepEqual(read, ['To', 'Cc', 'To', 'Cc']);
    receiptForms(header, header, 'sintetica')(A);
    assert.equal(read.length, 4);
  });

  test('RFC 6109 3.3.2.3: sintetica is for everyone', async () => {
    assert.equal(receiptFormFor(B, await headerOf('Subject: x'), 'sintetica'), 'sintetica');
  });
});
