import type { Directory } from '../directory/index.js';
import { domainOf, isValidAddress } from '../pec/index.js';
import { keep, receivedField, type SmtpHandlers } from '../smtp/index.js';
import type { Store } from '../storage/index.js';
import type { IncomingPoint } from './incoming-point.js';
import type { IncomingRate } from './incoming-rate.js';
import { refusals } from './refusals.js';

export interface MxSessionOptions {
  readonly incomingPoint: IncomingPoint;
  readonly directory: Directory;
  readonly store: Store;
  /** Our own name, for what is passed on. */
  readonly hostname: string;
  readonly rate: Pick<IncomingRate, 'begin' | 'certified'>;
}

/**
 * The session on port 25: any address of our domains is taken, since whether the message is certified is known only
 * after DATA (decisions 20); a foreign domain is refused.
 */
export function mxHandlers(options: MxSessionOptions): SmtpHandlers<never> {
  return {
    async mailFrom() {
      // Any reverse path, the null one included: notices of other systems come with it.
    },

    async rcptTo(address) {
      if (!isValidAddress(address)) throw refusals.badRecipient();
      await options.directory.current();
      if (!options.directory.isOwnDomain(domainOf(address))) throw refusals.relayDenied();
    },

    begin(_envelope, { remoteAddress }) {
      return options.rate.begin(remoteAddress);
    },

    async data(message, envelope, peer, charge) {
      await options.incomingPoint.receive({
        mailFrom: envelope.mailFrom,
        recipients: envelope.recipients,
        message: await keep(message, options.store),
        eightBit: message.eightBit,
        secure: peer.tls !== undefined,
        peer: peer.remoteAddress,
        helo: peer.helo,
        received: (date) => receivedField(peer, options.hostname, date),
        onCertified: () => options.rate.certified(peer.remoteAddress, charge),
      });
      return peer.id;
    },
  };
}
