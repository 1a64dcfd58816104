import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type SendingBounds, SendingLimits } from '../../src/access-point/index.js';
import { SmtpError } from '../../src/smtp/index.js';
import { silentTelemetry } from '../../src/telemetry/index.js';

const HOUR = 3_600_000;
const ANNA = 'anna@pec.alfa.example';
const bounds: SendingBounds = {
  messagesPerHour: 3,
  messagesPerDay: 5,
  recipientsPerDay: 8,
  bulkSenders: ['Fatture@pec.alfa.example'],
};

function limits(changed: Partial<SendingBounds> = {}) {
  const telemetry = silentTelemetry();
  const time = { now: 0 };
  const sending = new SendingLimits({
    bounds: { ...bounds, ...changed },
    telemetry,
    clock: () => time.now,
  });
  const begin = (recipients = 1, mailbox = ANNA) => sending.begin({ mailbox, recipients, peer: '192.0.2.1' });
  /** What a message that may not be sent is told. */
  const refusal = (recipients = 1, mailbox = ANNA): string => {
    try {
      begin(recipients, mailbox);
    } catch (error) {
      if (error instanceof SmtpError) return error.message;
      throw error;
    }
    return 'taken';
  };
  const events = (name: string) => telemetry.recorded.filter((event) => event.name === name);
  return { time, begin, refusal, events };
}

describe('sending limits', () => {
  it('take the last message of an hour and not the next, until the hour is over', () => {
    const { time, begin, refusal } = limits();
    for (let n = 0; n < 3; n++) begin();
    assert.match(refusal(), /3 messages an hour.*60 minutes/);
    assert.equal(refusal(1, 'bruno@pec.alfa.example'), 'taken');
    time.now = HOUR - 1;
    assert.match(refusal(), /try again in 1 minutes/);
    time.now = HOUR;
    assert.equal(refusal(), 'taken');
  });

  it('take the last message of a day and not the next', () => {
    const { time, begin, refusal } = limits();
    for (let n = 0; n < 3; n++) begin();
    time.now = HOUR;
    for (let n = 0; n < 2; n++) begin();
    assert.match(refusal(), /5 messages a day/);
    time.now = 24 * HOUR;
    assert.equal(refusal(), 'taken');
  });

  it('take the last recipient of a day and not the next', () => {
    const { begin, refusal } = limits();
    begin(6);
    assert.match(refusal(3), /8 recipients a day/);
    assert.equal(refusal(2), 'taken');
    assert.match(refusal(1), /8 recipients a day/);
  });

  it('count a mailbox however its address is written', () => {
    const { begin, refusal } = limits();
    for (let n = 0; n < 3; n++) begin();
    assert.notEqual(refusal(1, ANNA.toUpperCase()), 'taken');
  });

  it('count no message that was not taken', () => {
    const { begin, refusal } = limits();
    for (let n = 0; n < 50; n++) begin(2).giveBack();
    for (let n = 0; n < 3; n++) begin();
    assert.notEqual(refusal(), 'taken');
  });

  it('are not for bulk senders', () => {
    const { begin } = limits();
    for (let n = 0; n < 100; n++) begin(100, 'fatture@PEC.alfa.example');
  });

  it('raise one alarm for a limit that is reached, and an event for each refusal', () => {
    const { begin, refusal, events } = limits();
    for (let n = 0; n < 3; n++) begin();
    for (let n = 0; n < 4; n++) refusal();
    assert.equal(events('submission.limited').length, 4);
    assert.equal(events('alarm').length, 1);
  });
});
