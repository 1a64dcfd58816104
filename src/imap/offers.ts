/** What an account is offered: everything, but for what its operator hid. */

/** Each needs the other to be of use: where the second is hidden, so is the first. */
const RESTS_ON: Readonly<Record<string, string>> = {
  QRESYNC: 'CONDSTORE',
  SEARCHRES: 'ESEARCH',
  ESORT: 'SORT',
  'SORT=DISPLAY': 'SORT',
  'LIST-STATUS': 'LIST-EXTENDED',
  'CREATE-SPECIAL-USE': 'SPECIAL-USE',
  'QUOTA=RES-STORAGE': 'QUOTA',
  'UTF8=ACCEPT': 'ENABLE',
};

/** The name of a capability as CAPABILITY lists it: a figure is no part of it (APPENDLIMIT=35651584). */
export const capabilityName = (listed: string): string => listed.replace(/=[0-9]+$/, '');

/** @param capability its name */
export function isOffered(capability: string, hidden: ReadonlySet<string>): boolean {
  if (hidden.has(capability)) return false;
  const base = RESTS_ON[capability];
  return base === undefined || isOffered(base, hidden);
}
