import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isDeliveryReport, readDeliveryReport } from '../../src/pec/delivery-report.js';
import { Rope } from '../../src/rope/index.js';
import { crlf, headerOf, IDENTIFICATIVO } from './checking-support.js';

const report = (returned: string): string =>
  crlf(
    'From: MAILER-DAEMON@mail.example',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
    '',
    '--b',
    '',
    'Spiacenti.',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mail.example',
    '',
    'Original-Recipient: rfc822;Studio@mail.example',
    'Final-Recipient: rfc822; studio@mail.example',
    'Action: failed',
    'Status: 5.1.1',
    '',
    'Final-Recipient: rfc822; altro@mail.example',
    'Action: Delayed',
    'Status: 4.4.1',
    '--b',
    `Content-Type: ${returned}`,
    '',
    'Subject: POSTA CERTIFICATA: prova',
    `Message-ID: <${IDENTIFICATIVO}>`,
    '',
    '--b--',
  );

describe('delivery status notifications', () => {
  test('decisions 22: a DSN names the envelope it is about, and the recipients', async () => {
    for (const type of ['message/rfc822', 'text/rfc822-headers']) {
      assert.deepEqual(await readDeliveryReport(Rope.of(report(type))), {
        identificativo: IDENTIFICATIVO,
        recipients: [
          { address: 'Studio@mail.example', action: 'failed', status: '5.1.1' },
          { address: 'altro@mail.example', action: 'delayed', status: '4.4.1' },
        ],
      });
    }
  });

  test('decisions 22: a DSN without the returned message names none', async () => {
    const found = await readDeliveryReport(Rope.of(report('text/plain')));
    assert.equal(found?.identificativo, undefined);
    assert.equal(found?.recipients.length, 2);
  });

  test('other reports are none', async () => {
    const read = 'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"';
    assert.ok(!isDeliveryReport(await headerOf(read)));
    assert.equal(await readDeliveryReport(Rope.of(`${read}\r\n\r\n`)), undefined);
    assert.equal(await readDeliveryReport(Rope.empty), undefined);
  });

  test('never throws on a report with octets changed', async () => {
    const sound = Buffer.from(report('message/rfc822'), 'latin1');
    const change = fc.tuple(fc.nat(sound.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 10 }), async (changes) => {
        const bytes = Buffer.from(sound);
        for (const [at, octet] of changes) bytes[at] = octet;
        await readDeliveryReport(Rope.of(bytes));
      }),
    );
  });
});
