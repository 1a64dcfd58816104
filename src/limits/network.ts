import { isIPv4, isIPv6 } from 'node:net';

/**
 * Who one connection belongs to when connections and messages are counted: an IPv4 address, the /64 of an IPv6 address
 * (one subscriber has a whole one); what is neither stands for itself.
 */
export function sourceOf(remote: string): string {
  const address = plainAddress(remote);
  return isIPv6(address) ? prefixOf(address) : address;
}

/** The network failed logins are counted by: /24 of IPv4, /64 of IPv6; what is neither stands for itself. */
export function networkOf(remote: string): string {
  const address = plainAddress(remote);
  if (isIPv4(address)) return address.slice(0, address.lastIndexOf('.'));
  return isIPv6(address) ? prefixOf(address) : address;
}

/** Without a zone; an IPv4 address as such, also where it came to an IPv6 socket. */
const plainAddress = (remote: string): string =>
  (remote.split('%')[0] ?? '').replace(/^::ffff:(?=[0-9.]+$)/i, '');

const prefixOf = (address: string): string => groupsOf(address).slice(0, 4).join(':');

/** The eight groups of an IPv6 address without leading zeros (an embedded IPv4 address counts as two). */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('::');
  const before = split(head);
  if (tail === undefined) return before;
  const after = split(tail);
  return [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after];
}

const split = (half: string): string[] =>
  half === ''
    ? []
    : half
        .split(':')
        .flatMap((group) => (group.includes('.') ? ['0', '0'] : [group.replace(/^0+(?=.)/, '')]));
