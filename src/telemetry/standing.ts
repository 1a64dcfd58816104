/** An alarm about a state that lasts: something an operator must look at, and that will be over. */
export interface StandingAlarm {
  readonly name: string;
  /** What it is about, where there may be several of the name; else empty. */
  readonly about: string;
  readonly reason: string;
}

/** What the register of standing alarms tells. */
export interface StandingNews {
  raised(alarm: StandingAlarm): void;
  cleared(alarm: StandingAlarm): void;
}

/** The states that last now. Each is told when it begins and when it is over, however often it is met in between. */
export class StandingAlarms {
  readonly #alarms = new Map<string, StandingAlarm>();
  readonly #names = new Set<string>();

  constructor(private readonly news: StandingNews) {}

  raise(alarm: StandingAlarm): void {
    const key = keyOf(alarm);
    if (this.#alarms.has(key)) return;
    this.#alarms.set(key, alarm);
    this.#names.add(alarm.name);
    this.news.raised(alarm);
  }

  clear(name: string, about: string): void {
    const key = keyOf({ name, about });
    const alarm = this.#alarms.get(key);
    if (alarm === undefined) return;
    this.#alarms.delete(key);
    this.news.cleared(alarm);
  }

  list(): readonly StandingAlarm[] {
    return [...this.#alarms.values()];
  }

  /** How many there are of each name that was ever raised: one that is over counts 0, so that its curve comes down. */
  counts(): ReadonlyMap<string, number> {
    const standing = this.list();
    return new Map(
      [...this.#names].map((name) => [name, standing.filter((alarm) => alarm.name === name).length]),
    );
  }
}

const keyOf = ({ name, about }: Pick<StandingAlarm, 'name' | 'about'>): string => `${name} ${about}`;
