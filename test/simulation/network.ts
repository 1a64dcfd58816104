/** What lies between the gestori, and the outside: it carries one SMTP transaction, or does to it what the scenario says. */
import { CanonicalGuard } from '../../src/mime/index.js';
import { addressKey, domainOf } from '../../src/pec/index.js';
import { RouteError } from '../../src/relay/routing.js';
import type { TransferParts } from '../../src/relay/transfer.js';
import { Rope } from '../../src/rope/index.js';
import {
  makeReply,
  type OutgoingMessage,
  type Peer,
  type Phase,
  type Reply,
  replyFor,
  SmtpClientError,
  type Spooled,
  type Verdict,
} from '../../src/smtp/index.js';
import { smallSource } from '../../src/storage/blobs/resident.js';
import { field, headerOf } from '../support/inbox.js';
import { markerIn } from '../support/notes.js';
import type { Random } from '../support/random.js';
import { uncharged, type Wiring } from '../support/wiring.js';
import type { House } from './house.js';
import type { Fate } from './scenario.js';
import type { Story } from './story.js';
import type { VirtualTime } from './time.js';
import { EXTERNAL, outside } from './town.js';

/** Where a way ends: a house, by its number, or the outside. */
export type End = number | 'outside';

/** A message on its way. */
interface Carried {
  readonly to: House;
  readonly mailFrom: string;
  readonly recipients: readonly string[];
  readonly bytes: Buffer;
  readonly label: Label;
}

interface Label {
  /** As its header says: `posta-certificata`, a kind of notification, `errore`; empty for ordinary mail. */
  readonly kind: string;
  readonly messageId: string;
  readonly marker: string;
}

type Replies = { readonly phase: Phase; readonly reply: Reply }[];

export interface NetworkParts {
  readonly houses: readonly House[];
  readonly time: VirtualTime;
  readonly random: Random;
  readonly story: Story;
}

const MINUTE = 60_000;
/** Milliseconds a slow transaction takes: less than a client's patience. */
const SLOW = [MINUTE, 17 * MINUTE] as const;
const REMEMBERED = 200;

export class Network {
  /** `marker recipient`: envelopes taken whose 250 was spoken. */
  readonly confirmed = new Set<string>();
  /** `marker recipient`: envelopes a peer or the outside refused for good. */
  readonly refused = new Set<string>();
  /** `marker recipient`, once for each time it reached the outside. */
  readonly reachedOutside: string[] = [];
  readonly #parts: NetworkParts;
  readonly #fates = new Map<string, Fate[]>();
  readonly #cutUntil = new Map<string, number>();
  /** What a peer got, or may yet get: he does not refuse it afterwards. */
  readonly #brought = new Set<string>();
  readonly #history: Carried[] = [];

  constructor(parts: NetworkParts) {
    this.#parts = parts;
  }

  connectorOf(from: House): TransferParts['connector'] {
    return { deliver: ({ domain }, message) => this.#deliver(from, domain, message) };
  }

  trouble(from: House, to: End, fates: readonly Fate[]): void {
    const way = this.#way(from, to);
    this.#fates.set(way, [...(this.#fates.get(way) ?? []), ...fates]);
  }

  cut(from: House, to: End, minutes: number): void {
    this.#cutUntil.set(this.#way(from, to), this.#parts.time.now + minutes * MINUTE);
  }

  heal(): void {
    this.#fates.clear();
    this.#cutUntil.clear();
  }

  /** Brings again what it brought once. */
  again(pick: number): void {
    const carried = this.#history[pick % this.#history.length];
    if (carried === undefined) return;
    this.#tell(`${carried.to.lot.short} gets it again`, carried);
    void this.#receive(carried);
  }

  async #deliver(from: House, domain: string, message: OutgoingMessage): Promise<Verdict[]> {
    const { houses, time } = this.#parts;
    const bytes = Buffer.from(await message.content.bytes());
    const number = houses.findIndex(({ lot }) => lot.mailDomain === domain);
    const end = number < 0 ? 'outside' : number;
    const to = houses[number];
    if (to === undefined && domain !== EXTERNAL) throw new RouteError(true, '5.1.2', `no domain ${domain}`);
    const way = this.#way(from, end);
    const carried = {
      mailFrom: message.mailFrom,
      recipients: message.recipients,
      bytes,
      label: labelOf(bytes),
    };
    if ((this.#cutUntil.get(way) ?? 0) > time.now) throw new SmtpClientError('connect', 'simulated: no way');
    const fate = this.#fates.get(way)?.shift() ?? 'passes';
    const told = { passes: '' }[fate as 'passes'] ?? `: ${fate}`;
    this.#tell(`${from.lot.short} to ${to?.lot.short ?? 'outside'}${told}`, carried);
    if (to === undefined) return this.#toOutside(fate, carried);
    return this.#toHouse(fate, { ...carried, to });
  }

  async #toHouse(fate: Fate, carried: Carried): Promise<Verdict[]> {
    const { recipients } = carried;
    if (fate === 'no connection') throw new SmtpClientError('connect', 'simulated: no connection');
    if (fate === 'lost before') return lost(recipients, 'content');
    if (fate === 'deferred') return said(recipients, 'final', deferral);
    if (fate === 'refused' && this.#mayRefuse(carried, recipients)) {
      return said(recipients, 'final', refusal);
    }
    const [first = ''] = recipients;
    if (fate === 'first deferred') return this.#butFirst(carried, deferral);
    if (fate === 'first refused' && this.#mayRefuse(carried, [first]))
      return this.#butFirst(carried, refusal);
    for (const recipient of recipients) this.#brought.add(broughtKey(carried, recipient));
    if (fate === 'slow') await this.#long();
    const both =
      fate === 'doubled' ? [this.#receive(carried), this.#receive(carried)] : [this.#receive(carried)];
    const [replies] = await Promise.all(both);
    if (fate === 'slow reply') await this.#long();
    if (replies === undefined || fate === 'lost after') return lost(recipients, 'final');
    return recipients.map((recipient, index) => {
      const { phase, reply } = replies[index] ?? { phase: 'final', reply: deferral };
      return { recipient, phase, reply };
    });
  }

  /** All but the first recipient reach the peer. */
  async #butFirst(carried: Carried, reply: Reply): Promise<Verdict[]> {
    const [first = '', ...recipients] = carried.recipients;
    const others = recipients.length > 0 ? await this.#toHouse('passes', { ...carried, recipients }) : [];
    return [...said([first], 'rcpt', reply), ...others];
  }

  #mayRefuse(carried: Carried, recipients: readonly string[]): boolean {
    if (recipients.some((recipient) => this.#brought.has(broughtKey(carried, recipient)))) return false;
    for (const recipient of recipients) this.refused.add(`${carried.label.marker} ${recipient}`);
    return true;
  }

  async #toOutside(fate: Fate, { recipients, label }: Omit<Carried, 'to'>): Promise<Verdict[]> {
    if (fate === 'no connection') throw new SmtpClientError('connect', 'simulated: no connection');
    if (fate === 'lost before') return lost(recipients, 'content');
    if (fate === 'deferred' || fate === 'first deferred') return said(recipients, 'final', deferral);
    if (fate === 'slow' || fate === 'slow reply') await this.#long();
    const verdicts = recipients.map((recipient): Verdict => {
      const [known] = outside;
      const refuses = fate === 'refused' || fate === 'first refused' || addressKey(recipient) !== known;
      if (refuses) return { recipient, phase: 'rcpt', reply: refusal };
      this.reachedOutside.push(`${label.marker} ${recipient}`);
      return { recipient, phase: 'final', reply: makeReply(250, ['2.0.0 taken']) };
    });
    return fate === 'lost after' ? lost(recipients, 'final') : verdicts;
  }

  /** A reply for each recipient; undefined when the peer is down or dies before it answers. */
  async #receive(carried: Carried): Promise<Replies | undefined> {
    const { life } = carried.to;
    if (life?.points === undefined) return undefined;
    if (this.#history.length < REMEMBERED) this.#history.push(carried);
    const replies = await life.peer(session(life.points, carried), undefined);
    if (replies === undefined) this.#tell(`${carried.to.lot.short} dies before it answers`, carried);
    const { kind, marker } = carried.label;
    carried.recipients.forEach((recipient, index) => {
      const code = replies?.[index]?.reply.code ?? 0;
      if (code === 250 && kind === 'posta-certificata') this.confirmed.add(`${marker} ${recipient}`);
      if (code >= 500) this.refused.add(`${marker} ${recipient}`);
    });
    return replies;
  }

  #long(): Promise<void> {
    const { time, random } = this.#parts;
    return time.sleep(random.between(...SLOW));
  }

  #way({ lot }: House, to: End): string {
    return `${lot.short} ${to === 'outside' ? to : (this.#parts.houses[to]?.lot.short ?? '')}`;
  }

  #tell(text: string, { label: { kind, marker }, recipients }: Pick<Carried, 'label' | 'recipients'>): void {
    this.#parts.story.tell(
      `${text}: ${kind === '' ? 'ordinaria' : kind} "${marker}" for ${recipients.join(' ')}`,
    );
  }
}

const deferral = makeReply(451, ['4.3.0 simulated: not now']);
const refusal = makeReply(550, ['5.1.1 simulated: never']);

const said = (recipients: readonly string[], phase: Phase, reply: Reply): Verdict[] =>
  recipients.map((recipient) => ({ recipient, phase, reply }));

const lost = (recipients: readonly string[], phase: Phase): Verdict[] =>
  recipients.map((recipient) => ({
    recipient,
    phase,
    lost: new SmtpClientError(phase, 'simulated: connection lost'),
  }));

const broughtKey = ({ label }: Carried, recipient: string): string => `${label.messageId} ${recipient}`;

/** One session on port 25. */
async function session({ mx }: Wiring, { mailFrom, recipients, bytes }: Carried): Promise<Replies> {
  const replies: Replies = [];
  const taken: string[] = [];
  const answer = async (
    phase: Phase,
    run: () => Promise<unknown>,
  ): Promise<{ phase: Phase; reply: Reply }> => {
    try {
      await run();
      return { phase, reply: makeReply(250, ['2.0.0 Ok']) };
    } catch (error) {
      const { code, text } = replyFor(error);
      return { phase, reply: makeReply(code, [text]) };
    }
  };
  for (const recipient of recipients) {
    const one = await answer('rcpt', () => mx.rcptTo(recipient, { mailFrom, recipients: taken }, peer));
    if (one.reply.code === 250) taken.push(recipient);
    replies.push(one);
  }
  if (taken.length === 0) return replies;
  const envelope = { mailFrom, recipients: taken, eightBit: false, smtpUtf8: false };
  const end = await answer('final', () => mx.data(spooledOf(bytes), envelope, peer, uncharged));
  return replies.map((one) => (one.reply.code === 250 ? end : one));
}

const peer: Peer<never> = {
  id: 'SESSIONE',
  remoteAddress: '198.51.100.9',
  remotePort: 40_000,
  localPort: 25,
  helo: 'mail.example',
  protocol: 'ESMTPS',
  tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
};

/** A message as if it had come through the spool, which keeps small ones in memory. */
export function spooledOf(bytes: Buffer): Spooled {
  const guard = new CanonicalGuard();
  guard.push(bytes);
  guard.end();
  const source = smallSource(bytes);
  return {
    rope: Rope.of(source),
    length: bytes.length,
    hash: source.hash ?? '',
    longestLine: guard.longestLine,
    eightBit: guard.eightBit,
    fault: guard.fault,
    discard: async () => undefined,
  };
}

function labelOf(bytes: Buffer): Label {
  const header = headerOf(bytes);
  return {
    kind: field({ header }, 'X-Ricevuta') ?? field({ header }, 'X-Trasporto') ?? '',
    messageId: field({ header }, 'Message-ID') ?? '',
    marker: markerIn(bytes.toString('latin1')),
  };
}

/** Whose domain it is. */
export const isOf = ({ lot }: House, address: string): boolean =>
  domainOf(addressKey(address)) === lot.mailDomain;
