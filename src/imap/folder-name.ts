import { refusals } from './refusals.js';

/** Characters of a name, and names inside one another. */
const LONGEST = 500;
const DEEPEST = 20;

/** A name a folder may have: no control characters, no empty step, no wildcards that LIST could not tell. @throws ImapError */
export function checkedName(name: string): string {
  const steps = name.split('/');
  const sound =
    name.length <= LONGEST &&
    steps.length <= DEEPEST &&
    steps.every((step) => step.trim() !== '') &&
    !/[\0-\x1f\x7f-\x9f%*\u2028\u2029\ufffd]/.test(name);
  if (!sound) throw refusals.badName();
  return name;
}
