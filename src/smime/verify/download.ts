import { type LookupAddress, lookup } from 'node:dns';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

export interface FetchLimits {
  /** Milliseconds for a whole transfer. */
  readonly timeout: number;
  /** Octets. */
  readonly size: number;
}

/**
 * Who chose the URL. An operator's may lead anywhere. One that stands in a certificate must not make us knock at the doors of
 * our own network: it leads to public addresses only.
 */
export type Reach = 'anywhere' | 'public';

/** Fetches what is at a URL. @throws Error naming the URL */
export type Download = (url: URL, limits: FetchLimits, reach: Reach) => Promise<Uint8Array>;

/** Some CAs moved their lists once, or to https. */
const MAX_REDIRECTS = 3;

/** What is not the Internet (IANA's special-purpose registries). */
const OURS: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];
const notPublic = new BlockList();
for (const [network, prefix] of OURS) notPublic.addSubnet(network, prefix, 'ipv4');
/** The one range of IPv6 that is given out; all others are local, reserved, or IPv4 in disguise. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');
/** Within it: Teredo, 6to4, documentation. */
const v6Exceptions = new BlockList();
v6Exceptions.addSubnet('2001::', 23, 'ipv6');
v6Exceptions.addSubnet('2001:db8::', 32, 'ipv6');
v6Exceptions.addSubnet('2002::', 16, 'ipv6');

/** Whether an IP address is one of the Internet, reachable from everywhere. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !notPublic.check(address, 'ipv4');
  return isIP(address) === 6 && globalUnicast.check(address, 'ipv6') && !v6Exceptions.check(address, 'ipv6');
}

/** Over http and https, within the limits over all redirects; what a redirect leads to must be public unless it is the same host. */
export const download: Download = async (url, limits, reach) => {
  const signal = AbortSignal.timeout(limits.timeout);
  let at = url;
  let within = reach;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const response = await get(at, within, signal);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) return readBody(response, url, limits.size);
    response.destroy();
    const isRedirect = [301, 302, 303, 307, 308].includes(statusCode);
    if (!isRedirect || headers.location === undefined) throw new Error(`${url.href}: HTTP ${statusCode}`);
    if (!URL.canParse(headers.location, at.href))
      throw new Error(`${url.href}: redirected to what is no URL`);
    const next = new URL(headers.location, at);
    if (next.host !== at.host) within = 'public';
    at = next;
  }
  throw new Error(`${url.href}: more than ${MAX_REDIRECTS} redirects`);
};

function get(url: URL, reach: Reach, signal: AbortSignal): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (reach === 'public' && isIP(host) !== 0 && !isPublicAddress(host)) {
    return Promise.reject(new Error(`${url.href}: ${host} is not a public address`));
  }
  const options: RequestOptions = {
    signal,
    // No connection that another URL opened under other rules.
    agent: false,
    ...(reach === 'public' ? { lookup: publicLookup } : {}),
  };
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const reason = signal.aborted ? 'took too long' : error.message;
      reject(new Error(`${url.href}: ${reason}`, { cause: error }));
    };
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new Error(`${url.href}: only http and https are fetched`);
    }
    const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    request.on('error', fail);
    request.on('response', resolve);
    request.end();
  });
}

/** The addresses that are asked for are those that are connected to: a name cannot change its mind in between. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    const usable = error === null ? found.filter(({ address }) => isPublicAddress(address)) : [];
    const [first] = usable;
    if (error !== null) callback(error, []);
    else if (first === undefined) callback(new Error(`${hostname} has no public address`), []);
    else if (options.all === true) callback(null, usable);
    else callback(null, first.address, first.family);
  });
};

async function readBody(response: IncomingMessage, url: URL, limit: number): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      size += piece.length;
      // Leaving the loop ends the transfer.
      if (size > limit) throw new RangeError(`more than ${limit} octets`);
      pieces.push(piece);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${url.href}: ${reason}`, { cause: error });
  }
  return Buffer.concat(pieces);
}
