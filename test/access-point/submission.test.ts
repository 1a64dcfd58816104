import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labels } from '../support/notices.js';
import { sharedPair } from '../support/points.js';

describe('smoke', () => {
  const here = sharedPair();
  it('decisions 2: goes end to end', async () => {
    const { alfa, beta, network } = here();
    const id = await alfa.submit({ from: alfa.address('anna'), to: [beta.address('bruno')] });
    await network.pump();
    assert.deepEqual(labels(await alfa.inbox(alfa.address('anna'))), [
      'accettazione',
      `avvenuta-consegna ${beta.address('bruno')}`,
    ]);
    assert.deepEqual(labels(await alfa.inbox(alfa.serviceMailbox)), [
      `presa-in-carico ${beta.address('bruno')}`,
    ]);
    assert.deepEqual(labels(await beta.inbox(beta.address('bruno'))), ['posta-certificata']);
    console.log(
      (await alfa.events())
        .map((e) => [e.event, e.recipients.join(), JSON.stringify(e.detail)].join(' | '))
        .join('\n'),
    );
    console.log(
      (await beta.events())
        .map((e) => [e.event, e.recipients.join(), JSON.stringify(e.detail)].join(' | '))
        .join('\n'),
    );
    for (let i = 0; i < 50; i++) {
      await alfa.submit({ from: alfa.address('anna'), to: [beta.address('bruno')] });
      await network.pump();
    }
  });
});
