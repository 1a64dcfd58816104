import type { Telemetry } from '../telemetry/index.js';
import { codeOf, type Dns } from './routing.js';

/** What a resolver that does not work looks like from here. */
const NO_RESOLVER = new Set(['ETIMEOUT', 'ECONNREFUSED', 'EREFUSED', 'EAI_AGAIN', 'ENONAME', 'EHOSTUNREACH']);
/** What a resolver that reaches nobody says, and one that works says of a domain in disorder. */
const DOUBTFUL = new Set(['ESERVFAIL', 'EBADRESP', 'EFORMERR', 'ENOTIMP']);
/** Questions in a row that got no answer, or names in a row with a doubtful one: one domain may be slow, or in disorder. */
const IN_A_ROW = 3;

/** The same DNS; an alarm stands while it answers nothing. */
export function watchedDns(dns: Dns, telemetry: Telemetry): Dns {
  let unanswered = 0;
  const doubtful = new Set<string>();
  const answered = (): void => {
    unanswered = 0;
    doubtful.clear();
    telemetry.clear('dns-unavailable', '');
  };
  const failed = (what: string, name: string, code: string): void => {
    if (NO_RESOLVER.has(code)) unanswered += 1;
    else if (doubtful.size < IN_A_ROW) doubtful.add(name);
    if (Math.max(unanswered, doubtful.size) >= IN_A_ROW)
      telemetry.raise('dns-unavailable', '', `${what} of ${name}: ${code}`);
  };
  const watched = async <T>(what: string, name: string, answer: Promise<T>): Promise<T> => {
    try {
      const found = await answer;
      answered();
      return found;
    } catch (error) {
      const code = codeOf(error);
      if (NO_RESOLVER.has(code) || DOUBTFUL.has(code)) failed(what, name, code);
      else answered();
      throw error;
    }
  };
  return {
    mx: (domain) => watched('MX', domain, dns.mx(domain)),
    addresses: (name) => watched('address', name, dns.addresses(name)),
  };
}
