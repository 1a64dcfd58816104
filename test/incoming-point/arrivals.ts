import { type ForgedEnvelope, forgedEnvelope } from '../support/forged.js';
import { label } from '../support/notices.js';
import type { Pair } from '../support/pair.js';
import type { Point } from '../support/points.js';

export const anna = 'anna@pec.alfa.example';
export const bruno = 'bruno@pec.beta.example';
export const berta = 'berta@pec.beta.example';

/** An envelope of alfa's to beta's users, as sealed by alfa's own key. */
export const fromAlfa = ({ alfa, clock }: Pair, forged: Partial<ForgedEnvelope> = {}) =>
  forgedEnvelope({ by: alfa.gestore, sender: anna, recipients: [bruno], at: clock.now, ...forged });

/** What a message left in the queue: `notification presa-in-carico bruno@... -> ricevute@...`. */
export async function answers(point: Point, id: string): Promise<string[]> {
  const rows = (await point.queue()).filter(({ identificativo }) => identificativo === id);
  return Promise.all(
    rows.map(async ({ kind, recipient, contentId }) => {
      const bytes = await (await point.store.open(contentId)).bytes();
      return `${kind} ${label(point.asStored(bytes))} -> ${recipient}`;
    }),
  );
}

/** The register about a message: `presa-in-carico bruno@...`. */
export const eventsOf = async (point: Point, id: string): Promise<string[]> =>
  (await point.events(id)).map(({ event, recipients }) => `${event} ${recipients.join(' ')}`);
