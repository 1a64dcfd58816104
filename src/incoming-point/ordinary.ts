import { type LegalTime, readDeliveryReport, sameAddress, serviceAddress } from '../pec/index.js';
import type { Arrival } from './arrival.js';
import { keepBounce } from './bounce.js';
import { type OrdinaryMail, type RuleOptions, takeByRule } from './take-by-rule.js';
import { wrap } from './wrap.js';

export interface OrdinaryOptions extends RuleOptions {
  readonly serviceMailbox: string;
}

/** A message that no gestore vouches for (RFC 6109 2.2.2, decisions 21 and 22). */
export async function takeOrdinary(
  options: OrdinaryOptions,
  arrival: Arrival,
  mail: OrdinaryMail,
  time: LegalTime,
): Promise<void> {
  const signing = serviceAddress(options.issuer.provider.mailDomain);
  if (arrival.mailFrom === '' && arrival.recipients.every((address) => sameAddress(address, signing))) {
    return keepBounce(options, arrival, mail, time);
  }
  if (arrival.mailFrom === '' && (await isAboutOurEnvelope(options, arrival))) {
    const { results } = await options.checkSender(arrival, mail.header);
    return wrap(options, arrival, mail.header, time, { reason: mail.reason, results });
  }
  return takeByRule(options, arrival, mail, time);
}

/** A DSN about an envelope of ours reaches its sender whatever the mailbox's rule says (decisions 22). */
async function isAboutOurEnvelope(options: OrdinaryOptions, arrival: Arrival): Promise<boolean> {
  const report = await readDeliveryReport(arrival.message);
  if (report?.identificativo === undefined) return false;
  const outgoing = await options.store.read('findOutgoing', { identificativo: report.identificativo });
  // Only an ordinary recipient's server has reason to send one.
  if (outgoing === undefined || !outgoing.tracking.some(({ kind }) => kind === 'esterno')) return false;
  return arrival.recipients.every((address) => sameAddress(address, outgoing.sender));
}
