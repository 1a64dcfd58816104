import assert from 'node:assert/strict';
import { MimeError, readHeader, readStructure } from '../../../src/mime/index.js';
import {
  briefForm,
  classify,
  composePostacert,
  formalFaults,
  originalMessageId,
  readAnomaly,
  readDeliveryReport,
  readEnvelope,
  readNotification,
  receiptType,
  replyToOf,
} from '../../../src/pec/index.js';
import { Rope } from '../../../src/rope/index.js';
import { assertOneLine, toleratedLater } from '../expect.js';
import type { Target } from '../target.js';
import { messageWords } from '../words.js';

const LIMITS = { recipients: 50, sizeTimesRecipients: 30_000_000, messageSize: 30_000_000 };

async function checkForms(input: Buffer): Promise<void> {
  const message = Rope.of(input);
  const outer = await readHeader(message);
  classify(outer);
  receiptType(outer);
  assertOneLine(originalMessageId(outer) ?? '');
  assertOneLine(replyToOf(outer) ?? '');
  const sender = 'mario.rossi@pec.alfa.example';
  const asked = { mailFrom: sender, recipients: ['anna.bianchi@pec.beta.example'] };
  const faults = formalFaults({
    header: outer,
    ...asked,
    size: input.length,
    longestLine: outer.longestLine,
    limits: LIMITS,
  });
  faults.forEach(assertOneLine);
  await readDeliveryReport(message);
  // A busta's entity is its first part; anything may stand there.
  const [first] = (await readStructure(message)).children;
  const entity = first === undefined ? message : message.slice(first.start, first.end);
  for (const read of [
    await readEnvelope(outer, entity, sender),
    await readEnvelope(outer, entity, undefined),
    await readNotification(outer, entity),
    await readAnomaly(entity),
  ])
    read.faults.forEach(assertOneLine);
  const brief = await briefForm(message);
  assert.equal((await brief.bytes()).length, brief.length);
  // What a sender writes becomes a postacert whose body is his, byte for byte.
  const { rope } = composePostacert({
    original: message,
    header: outer,
    identificativo: 'ceralacca1.20261122120000.0123456789abcdef@pec.alfa.example',
    received: 'Received: from client.example by smtps.pec.alfa.example; Sun, 22 Nov 2026 09:00:01 +0100\r\n',
  });
  const written = await rope.bytes();
  assert.ok(
    written
      .subarray(-(input.length - outer.bodyOffset) || written.length)
      .equals(input.subarray(outer.bodyOffset)),
  );
}

export const target: Target = {
  corpus: ['message', '../../pec/golden'],
  covers: [
    'src/pec/form',
    'src/pec/classify',
    'src/pec/brief',
    'src/pec/delivery-report',
    'src/pec/postacert',
    'src/pec/original-header',
    'src/pec/header-lines',
  ],
  words: [...messageWords, '<identificativo>', 'X-TipoRicevuta: breve\r\n', 'Message-ID: <a@b.example>\r\n'],
  async run(input) {
    await toleratedLater(() => checkForms(input), MimeError);
  },
};
