/** The points of a gestore without sockets, wired as src/gestore/parts.ts does, around whatever store and key a test has. */
import {
  AccessPoint,
  noSendingBounds,
  SendingLimits,
  submissionHandlers,
} from '../../src/access-point/index.js';
import { Accounts } from '../../src/accounts/index.js';
import { type Antivirus, Quarantine, QuarantineKeys } from '../../src/antivirus/index.js';
import { DeliveryPoint } from '../../src/delivery-point/index.js';
import type { Directory } from '../../src/directory/index.js';
import {
  IncomingPoint,
  type IncomingPointOptions,
  mxHandlers,
  type SenderCheckOptions,
  senderCheck,
} from '../../src/incoming-point/index.js';
import { Issuer } from '../../src/issuing/index.js';
import type { FormalLimits } from '../../src/pec/index.js';
import type { Signer } from '../../src/smime/index.js';
import type { Store } from '../../src/storage/index.js';
import type { Telemetry } from '../../src/telemetry/index.js';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const MIB = 1024 * 1024;

/** A message that no limit counts. */
export const uncharged = { giveBack: () => undefined };

export interface WiringRequest {
  readonly name: string;
  readonly mailDomain: string;
  readonly signer: Signer;
  readonly store: Store;
  readonly directory: Directory;
  readonly antivirus: Antivirus;
  /** Folder where large infected messages are sealed. */
  readonly spool?: string;
  readonly telemetry: Telemetry;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly verify: IncomingPointOptions['verify'];
  readonly limits?: Partial<FormalLimits> | undefined;
  readonly receiptsReserve?: number | undefined;
  readonly ordinaryMail?: 'reject' | 'anomaly' | undefined;
  /** To the DNS, about senders of ordinary mail; nobody says anything if not given. */
  readonly questions?: SenderCheckOptions['questions'] | undefined;
  /** For identificativi; the system's own if not given. */
  readonly random?: (octets: number) => Buffer;
}

export interface Wiring {
  readonly hostname: string;
  readonly serviceMailbox: string;
  readonly accounts: Accounts;
  readonly quarantine: Quarantine;
  readonly issuer: Issuer;
  readonly accessPoint: AccessPoint;
  readonly incomingPoint: IncomingPoint;
  readonly submission: ReturnType<typeof submissionHandlers>;
  readonly mx: ReturnType<typeof mxHandlers>;
}

export const serviceMailboxOf = (mailDomain: string): string => `ricevute@${mailDomain}`;

export function wire(request: WiringRequest): Wiring {
  const { name, mailDomain, signer, store, directory, antivirus, telemetry, clock } = request;
  const hostname = `mail.${mailDomain}`;
  const serviceMailbox = serviceMailboxOf(mailDomain);
  const accounts = new Accounts({
    store,
    serviceMailbox,
    defaultQuota: 1024 * MIB,
    throttleLogins: false,
    now: clock,
  });
  const issuer = new Issuer({ name, mailDomain }, () => signer, request.random);
  const post = { mailDomain, giveUpAfter: 5 * DAY };
  const findMailbox = (address: string) => accounts.find(address);
  const quarantine = new Quarantine({
    store,
    keys: QuarantineKeys.parse(Buffer.alloc(32, name).toString('base64'), 'test'),
    spool: request.spool ?? '/nowhere',
  });
  const shared = { store, issuer, directory, antivirus, quarantine, telemetry, clock };
  const incomingPoint = new IncomingPoint({
    ...shared,
    deliveryPoint: new DeliveryPoint({
      issuer,
      findMailbox,
      post,
      notifiedOf: (mailboxId, sender) => store.read('notifiedOf', { mailboxId, sender }),
    }),
    findMailbox,
    serviceMailbox,
    post,
    ordinaryMail: request.ordinaryMail ?? 'reject',
    checkSender: senderCheck({
      hostname,
      isOwnDomain: (domain) => directory.isOwnDomain(domain),
      questions: request.questions ?? noRecords,
    }),
    hostname,
    verify: request.verify,
  });
  const accessPoint = new AccessPoint({
    ...shared,
    limits: { recipients: 50, sizeTimesRecipients: 30 * MIB, messageSize: 30 * MIB, ...request.limits },
    timers: { firstNotice: 12 * HOUR, secondNotice: 23 * HOUR },
    envelopeGiveUp: DAY,
  });
  const receiptsReserve = request.receiptsReserve ?? 100 * MIB;
  return {
    hostname,
    serviceMailbox,
    accounts,
    quarantine,
    issuer,
    accessPoint,
    incomingPoint,
    submission: submissionHandlers({
      accessPoint,
      accounts,
      store,
      telemetry,
      hostname,
      receiptsReserve,
      sending: new SendingLimits({ bounds: noSendingBounds, telemetry, clock }),
    }),
    mx: mxHandlers({
      incomingPoint,
      directory,
      store,
      hostname,
      rate: { begin: () => uncharged, certified: () => undefined },
    }),
  };
}

const noRecords: SenderCheckOptions['questions'] = () => ({
  ask: async (name) => {
    throw Object.assign(new Error(`no ${name}`), { code: 'ENOTFOUND' });
  },
  cancel: () => undefined,
});
