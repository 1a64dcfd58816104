import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

/** A place to connect to. */
export interface Hop {
  /** IP address. */
  readonly host: string;
  readonly port: number;
  /** What its certificate must be for: the route as written, or the MX host. */
  readonly name: string;
}

/** Why a domain has no hop. */
export class RouteError extends Error {
  override readonly name = 'RouteError';

  constructor(
    readonly permanent: boolean,
    /** RFC 3463. */
    readonly status: string,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Questions to the DNS; rejects with node's codes (ENOTFOUND: no such name; ENODATA: no such record). */
export interface Dns {
  mx(domain: string): Promise<readonly { readonly exchange: string; readonly priority: number }[]>;
  addresses(name: string): Promise<readonly string[]>;
}

export interface RoutingOptions {
  /** Domain, or `*` for external recipients, to its endpoint. */
  readonly routes: Readonly<Record<string, Endpoint>>;
  /** For external recipients only: certified mail goes gestore to gestore (RFC 6109 5.3, decisions 31). */
  readonly smartHost: Endpoint | null;
  /** Our own name, to see a loop. */
  readonly hostname: string;
  readonly dns: Dns;
  /** Uniform in [0, 1): shuffles MX hosts of one preference (RFC 5321 5.1). */
  readonly random: () => number;
}

/**
 * The hops of a domain, best first.
 * @param external true for ordinary recipients: only they use `*` and the smart host
 * @throws RouteError
 */
export async function route(options: RoutingOptions, domain: string, external: boolean): Promise<Hop[]> {
  const written =
    writtenFor(options, domain) ??
    (external ? (writtenFor(options, '*') ?? options.smartHost ?? undefined) : undefined);
  if (written !== undefined) return writtenRoute(options.dns, written);
  const literal = /^\[(?:ipv6:)?(.+)\]$/i.exec(domain)?.[1];
  if (literal !== undefined && isIP(literal) !== 0) return [{ host: literal, port: 25, name: literal }];
  const { exchanges, itself } = await exchangesOf(options, domain);
  if (itself) return hopsOfDomain(options.dns, domain, external);
  const hops: Hop[] = [];
  let failure: RouteError | undefined;
  for (const exchange of exchanges) {
    try {
      // An MX host without an address is the domain's mistake, not its absence.
      hops.push(...(await hopsOf(options.dns, exchange, 25, '5.4.4')));
    } catch (error) {
      if (!(error instanceof RouteError)) throw error;
      // Any doubt about one host leaves the whole in doubt.
      if (failure === undefined || !error.permanent) failure = error;
    }
  }
  if (hops.length === 0 && failure !== undefined) throw failure;
  return hops;
}

/**
 * A domain without MX is its own host (RFC 5321 5.1). It exists, so that one without address is no absent domain: for
 * certified mail, whose recipient gestore is known to be, it is a moment's disorder of the DNS, or of ours.
 */
async function hopsOfDomain(dns: Dns, domain: string, external: boolean): Promise<Hop[]> {
  try {
    return await hopsOf(dns, domain, 25, '5.4.4');
  } catch (error) {
    if (!(error instanceof RouteError) || external) throw error;
    throw new RouteError(false, '4.4.4', error.message, error);
  }
}

/** Only what was written: a domain may be called "constructor". */
const writtenFor = ({ routes }: RoutingOptions, domain: string): Endpoint | undefined =>
  Object.hasOwn(routes, domain) ? routes[domain] : undefined;

/** A route that leads nowhere is our mistake, not the domain's: the mail waits until it is mended. */
async function writtenRoute(dns: Dns, { host, port }: Endpoint): Promise<Hop[]> {
  try {
    return await hopsOf(dns, host, port, '5.4.4');
  } catch (error) {
    if (!(error instanceof RouteError)) throw error;
    throw new RouteError(false, '4.4.4', error.message, error);
  }
}

/** MX hosts looked at: who names more does so to keep us busy. */
const MOST_EXCHANGES = 10;

interface Exchanges {
  readonly exchanges: readonly string[];
  /** The domain has no MX. */
  readonly itself: boolean;
}

/** MX hosts in order. */
async function exchangesOf(options: RoutingOptions, domain: string): Promise<Exchanges> {
  let records: readonly { readonly exchange: string; readonly priority: number }[];
  try {
    records = await options.dns.mx(domain);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENODATA') return { exchanges: [], itself: true };
    if (code === 'ENOTFOUND') throw new RouteError(true, '5.1.2', `domain ${domain} does not exist`, error);
    throw new RouteError(false, '4.4.3', `MX of ${domain}: ${code}`, error);
  }
  if (records.length === 0) return { exchanges: [], itself: true };
  // RFC 7505: a domain that takes no mail.
  if (records.length === 1 && ['', '.'].includes(records[0]?.exchange ?? '')) {
    throw new RouteError(true, '5.1.10', `domain ${domain} takes no mail (null MX)`);
  }
  const ours = records.find(
    ({ exchange }) => exchange.toLowerCase() === options.hostname.toLowerCase(),
  )?.priority;
  const before = records.filter(({ priority }) => ours === undefined || priority < ours);
  if (before.length === 0)
    throw new RouteError(true, '5.4.6', `the MX of ${domain} is this host, which does not manage it`);
  const exchanges = before
    .map((record) => ({ ...record, draw: options.random() }))
    .sort((one, other) => one.priority - other.priority || one.draw - other.draw)
    .map(({ exchange }) => exchange);
  return { exchanges: exchanges.slice(0, MOST_EXCHANGES), itself: false };
}

async function hopsOf(dns: Dns, name: string, port: number, without: string): Promise<Hop[]> {
  if (isIP(name) !== 0) return [{ host: name, port, name }];
  try {
    return (await dns.addresses(name)).map((host) => ({ host, port, name }));
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOTFOUND' || code === 'ENODATA')
      throw new RouteError(true, without, `${name} has no address`, error);
    throw new RouteError(false, '4.4.3', `address of ${name}: ${code}`, error);
  }
}

/**
 * The DNS of the system, or of the resolvers given.
 * @param servers IP addresses, with a port where it is not 53
 */
export function networkDns(servers: readonly string[]): Dns {
  const resolver = new Resolver({ timeout: 5_000, tries: 2 });
  if (servers.length > 0) resolver.setServers([...servers]);
  return {
    mx: (domain) => resolver.resolveMx(domain),
    async addresses(name) {
      // Without resolvers of our own the hosts file counts too.
      if (servers.length === 0) return (await lookup(name, { all: true })).map(({ address }) => address);
      const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
      const found = [four, six].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      if (found.length > 0) return found;
      const doubt = [four, six].find(
        (answer) => answer.status === 'rejected' && codeOf(answer.reason) !== 'ENODATA',
      );
      throw doubt?.status === 'rejected'
        ? doubt.reason
        : four.status === 'rejected'
          ? four.reason
          : noData(name);
    },
  };
}

const noData = (name: string): Error =>
  Object.assign(new Error(`no address for ${name}`), { code: 'ENODATA' });

/** Of an error of node's DNS. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
