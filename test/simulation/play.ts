/** Plays a scenario from its first step to the day after, when everything must have come to its end. */

import { type Peer, replyFor } from '../../src/smtp/index.js';
import type { Mailbox } from '../../src/storage/index.js';
import { letter } from '../e2e/letters.js';
import type { Told } from '../support/evidence.js';
import { bodyHash } from '../support/notes.js';
import { Random } from '../support/random.js';
import { uncharged, type Wiring } from '../support/wiring.js';
import { House, type Spoil } from './house.js';
import { Network, spooledOf } from './network.js';
import { judge } from './oracle.js';
import type { Recipient, Scenario, Step } from './scenario.js';
import { START, Story } from './story.js';
import { VirtualTime } from './time.js';
import { operatorOf, outside, REFUSED_HERE, type Town } from './town.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Milliseconds a story may last: so much less than the five days of a notification that none is ever held (decisions 10). */
const LONGEST = 72 * HOUR;
/** Milliseconds until everything has come to its end once there is no trouble any more: a day, and the longest retry. */
const AFTERMATH = 30 * HOUR;

/** What a simulation has of the world: for the oracle. */
export interface Played {
  readonly town: Town;
  readonly houses: readonly House[];
  readonly network: Network;
  readonly submissions: readonly Told[];
  /** Addresses whose mailbox an operator suspended or filled. */
  readonly meddled: ReadonlySet<string>;
  readonly now: number;
}

export interface Outcome {
  readonly violations: readonly string[];
  readonly story: readonly string[];
  readonly submissions: readonly Told[];
}

/** @param spoil a planted fault; none if not given */
export async function play(
  town: Town,
  scenario: Scenario,
  spoil: Spoil = (store) => store,
): Promise<Outcome> {
  const time = new VirtualTime(START);
  for (const { disk } of town.lots) disk.reset();
  const giveBack = time.install();
  try {
    const { story, played } = await new Stage(town, scenario, spoil, time).run();
    for (const house of played.houses) house.end();
    await time.settle();
    const violations = await judge(played);
    return { violations, story: story.lines, submissions: played.submissions };
  } finally {
    giveBack();
  }
}

class Stage {
  readonly #story: Story;
  readonly #houses: readonly House[];
  readonly #network: Network;
  readonly #submissions: Told[] = [];
  readonly #meddled = new Set<string>();

  constructor(
    private readonly town: Town,
    private readonly scenario: Scenario,
    spoil: Spoil,
    private readonly time: VirtualTime,
  ) {
    const random = new Random(String(scenario.seed));
    const story = new Story(time.clock);
    this.#story = story;
    this.#houses = town.lots.slice(0, scenario.houses).map(
      (lot) =>
        new House({
          lot,
          keys: town.keys,
          time,
          random,
          story,
          connectorOf: (house) => this.#network.connectorOf(house),
          spoil,
        }),
    );
    this.#network = new Network({ houses: this.#houses, time, random: random.fork('network'), story });
  }

  async run(): Promise<{ story: Story; played: Played }> {
    for (const house of this.#houses) house.start();
    await this.time.settle();
    for (const step of this.scenario.steps) await this.#take(step);
    this.#story.tell('no more trouble');
    this.#network.heal();
    for (const house of this.#houses) house.heal();
    await this.#wait(AFTERMATH);
    const played = {
      town: this.town,
      houses: this.#houses,
      network: this.#network,
      submissions: this.#submissions,
      meddled: this.#meddled,
      now: this.time.now,
    };
    return { story: this.#story, played };
  }

  /** Steps follow at once upon each other, in the middle of what the earlier ones set going, unless one waits. */
  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'submit':
        return void this.#submit(step);
      case 'wait':
        return this.#wait(Math.min(step.minutes * MINUTE, START + LONGEST - this.time.now));
      case 'trouble':
        this.#story.tell(
          `trouble from ${this.#short(step.from)} to ${this.#end(step.to)}: ${step.fates.join(', ')}`,
        );
        return this.#network.trouble(this.#house(step.from), this.#way(step.to), step.fates);
      case 'cut':
        this.#story.tell(
          `no way from ${this.#short(step.from)} to ${this.#end(step.to)} for ${step.minutes} min`,
        );
        return this.#network.cut(this.#house(step.from), this.#way(step.to), step.minutes);
      case 'crash': {
        const { strike, after, minutes, house } = step;
        if (strike === 'now') return this.#house(house).crash(minutes);
        return this.#house(house).plan({ strike, after, minutes, writes: 1 });
      }
      case 'disk':
        return this.#house(step.house).plan({ ...step, minutes: 0 });
      case 'again':
        return this.#network.again(step.pick);
      case 'operator':
        return this.#operate(step);
      case 'sweep':
        // A full disk is the next sweep's.
        return void this.#house(step.house)
          .life?.store.sweep({ now: this.time.now })
          .catch(() => undefined);
    }
  }

  async #wait(ms: number): Promise<void> {
    const dueAt = (): number =>
      Math.min(
        ...this.#houses.map(({ life, lot }) =>
          life === undefined ? Number.POSITIVE_INFINITY : lot.disk.nextDue(),
        ),
      );
    await this.time.advance(Math.max(0, ms), dueAt);
  }

  async #submit({ house: number, user, to, copies, fault, receipt }: Step & { do: 'submit' }): Promise<void> {
    const house = this.#house(number);
    const sender = house.lot.users[user % house.lot.users.length] ?? '';
    const marker = `giro ${sender.split('@')[0]}.${this.#submissions.length}`;
    const addresses = [...new Set(to.map((recipient) => this.#address(recipient)))];
    const split = Math.max(1, addresses.length - copies);
    const bytes = letter({
      from: sender,
      to: addresses.slice(0, split),
      ...(split < addresses.length ? { cc: addresses.slice(split) } : {}),
      subject: marker,
      messageId: `${marker.replace(' ', '.')}@client.example`,
      fields: [`X-TipoRicevuta: ${receipt}`, ...(fault === 'bcc' ? [`Bcc: ${sender}`] : [])],
      body: `Buongiorno, questo e' ${marker}.\r\n`,
    });
    const told: Told = { marker, sender, to: addresses, fault, body: bodyHash(bytes), answer: 'unsent' };
    this.#submissions.push(told);
    const { life } = house;
    const { unknown } = house;
    const answer =
      life?.points && (await life.peer(submit(life.points, sender, addresses, bytes), 'lost' as const));
    if (answer === undefined) told.answer = 'unsent';
    else if (answer === 'lost') told.answer = 'lost';
    else if ('identificativo' in answer) {
      told.answer = 'accepted';
      told.identificativo = answer.identificativo;
    } else {
      // 451 may hide a commit of which nobody knows: its client may count on nothing.
      told.answer = house.unknown === unknown ? 'refused' : 'lost';
    }
    const said = answer === undefined || answer === 'lost' ? '' : ` (${Object.values(answer).join(' ')})`;
    this.#story.tell(`${sender} submits "${marker}" to ${addresses.join(' ')}: ${told.answer}${said}`);
  }

  async #operate({ house, user, change }: Step & { do: 'operator' }): Promise<void> {
    const { lot } = this.#house(house);
    const address = lot.users[user % lot.users.length] ?? '';
    const changes = {
      suspend: { state: 'suspended' },
      resume: { state: 'active' },
      fill: { quota: 1 },
      empty: { quota: 1024 ** 3 },
    } as const;
    this.#story.tell(`the operator of ${lot.short}: ${change} ${address}`);
    this.#meddled.add(address);
    await operatorOf(lot, this.time.clock).write('setMailbox', { address, ...changes[change] });
  }

  #house(number: number): House {
    const house = this.#houses[number % this.#houses.length];
    if (house === undefined) throw new RangeError('no houses');
    return house;
  }

  #short(number: number): string {
    return this.#house(number).lot.short;
  }

  #way(number: number): number | 'outside' {
    return number > 3 ? 'outside' : number % this.#houses.length;
  }

  #end(number: number): string {
    return number > 3 ? 'outside' : this.#short(number);
  }

  #address({ house, who }: Recipient): string {
    const { lot } = this.#house(house);
    const people = [...lot.users, ...REFUSED_HERE.map((local) => `${local}@${lot.mailDomain}`), ...outside];
    return people[who % people.length] ?? '';
  }
}

/** One submission session of a user who is logged in. */
async function submit(
  { submission, accounts }: Wiring,
  mailFrom: string,
  recipients: readonly string[],
  bytes: Buffer,
): Promise<{ identificativo: string } | { refusal: string }> {
  try {
    const user: Mailbox | undefined = await accounts.find(mailFrom);
    const peer: Peer<Mailbox> = { ...client, user };
    await submission.mailFrom(mailFrom, peer);
    for (const recipient of recipients) await submission.rcptTo(recipient, { mailFrom, recipients }, peer);
    const envelope = { mailFrom, recipients, eightBit: false, smtpUtf8: false };
    return { identificativo: await submission.data(spooledOf(bytes), envelope, peer, uncharged) };
  } catch (error) {
    const { code, text } = replyFor(error);
    return { refusal: `${code} ${text}` };
  }
}

const client: Peer<never> = {
  id: 'SESSIONE',
  remoteAddress: '192.0.2.7',
  remotePort: 40_000,
  localPort: 465,
  helo: 'client.example',
  protocol: 'ESMTPSA',
  tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
};
