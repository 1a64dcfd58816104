import type { Telemetry } from '../telemetry/index.js';
import { codeOf, type Dns } from './routing.js';

/** What a resolver that does not work looks like from here. SERVFAIL is none of these: that is the domain's trouble. */
const NO_RESOLVER = new Set(['ETIMEOUT', 'ECONNREFUSED', 'EREFUSED', 'EAI_AGAIN', 'ENONAME', 'EHOSTUNREACH']);
/** Questions in a row that got no answer: one may be about a domain that is slow. */
const IN_A_ROW = 3;

/** The same DNS; an alarm stands while it answers nothing. */
export function watchedDns(dns: Dns, telemetry: Telemetry): Dns {
  let unanswered = 0;
  const answered = (): void => {
    unanswered = 0;
    telemetry.clear('dns-unavailable', '');
  };
  const watched = async <T>(question: string, answer: Promise<T>): Promise<T> => {
    try {
      const found = await answer;
      answered();
      return found;
    } catch (error) {
      const code = codeOf(error);
      if (!NO_RESOLVER.has(code)) {
        answered();
        throw error;
      }
      unanswered += 1;
      if (unanswered >= IN_A_ROW) telemetry.raise('dns-unavailable', '', `${question}: ${code}`);
      throw error;
    }
  };
  return {
    mx: (domain) => watched(`MX of ${domain}`, dns.mx(domain)),
    addresses: (name) => watched(`address of ${name}`, dns.addresses(name)),
  };
}
