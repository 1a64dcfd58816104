import type { Notification } from '../../src/pec/index.js';
import { forgedNotice } from '../support/forged.js';
import { labels } from '../support/notices.js';
import type { Pair } from '../support/pair.js';
import { anna, bruno } from './arrivals.js';

export const aldo = 'aldo@pec.alfa.example';
export const ext = 'mario@gmail.example';

/** Anna's message to Bruno, accepted and not yet handed over. */
export async function sent({ alfa }: Pair, to: readonly string[] = [bruno]): Promise<string> {
  return alfa.submit({ from: anna, to });
}

export const noticeFrom = (
  { alfa, beta, clock }: Pair,
  id: string,
  notification: Notification,
  by: 'alfa' | 'beta' = 'beta',
): Promise<Buffer> =>
  forgedNotice({
    by: by === 'beta' ? beta.gestore : alfa.gestore,
    to: anna,
    sender: anna,
    recipients: [bruno],
    identificativo: id,
    at: clock.now,
    notification,
  });

export const from = 'posta-certificata@pec.beta.example';
export const presa = (...recipients: string[]): Notification => ({ kind: 'presa-in-carico', recipients });
export const consegna = (recipient = bruno): Notification => ({
  kind: 'avvenuta-consegna',
  recipient,
  receipt: 'sintetica',
  form: 'sintetica',
});
export const errore = (recipient = bruno): Notification => ({
  kind: 'errore-consegna',
  recipient,
  errore: 'no-dest',
  reason: '5.1.1 - Beta PEC S.r.l. - indirizzo non valido',
});

export async function tracking({ alfa }: Pair, id: string, recipient = bruno) {
  const outgoing = await alfa.store.read('findOutgoing', { identificativo: id });
  return outgoing?.tracking.find((row) => row.recipient === recipient);
}

/** What a call added to anna's, aldo's and the service mailbox, and to the register. */
export async function added(pair: Pair, call: () => Promise<void>) {
  const boxes = [anna, aldo, pair.alfa.serviceMailbox];
  const before = await Promise.all(boxes.map(async (box) => (await pair.alfa.inbox(box)).length));
  const entries = (await pair.alfa.events()).length;
  await call();
  const now = await Promise.all(boxes.map((box) => pair.alfa.inbox(box)));
  const [forAnna = [], forAldo = [], service = []] = now.map((box, index) =>
    labels(box.slice(before[index])),
  );
  const events = (await pair.alfa.events()).slice(entries);
  return {
    anna: forAnna,
    aldo: forAldo,
    service,
    events: events.map(({ event }) => event),
    register: events,
  };
}
