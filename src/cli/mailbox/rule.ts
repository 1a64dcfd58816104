import type { OrdinaryRule } from '../../storage/index.js';
import { type Run, UsageError } from '../command.js';
import { withMailRules } from '../rules.js';
import { ruleText } from '../views.js';

export const run: Run = (call) => {
  const rule = readRule(call.option('ordinary') ?? '');
  return withMailRules(call, async (rules) => {
    const { address, ordinary } = await rules.setOrdinaryRule(call.argument(0), rule);
    call.print(`${address}: ordinary mail: ${ruleText(ordinary)}`);
    return 0;
  });
};

const FORWARD = 'forward=';

function readRule(text: string): OrdinaryRule | null {
  if (text === 'default') return null;
  if (text === 'reject' || text === 'anomaly') return { kind: text };
  if (text.startsWith(FORWARD)) return { kind: 'forward', to: text.slice(FORWARD.length) };
  throw new UsageError(`--ordinary: "${text}" is none of reject, anomaly, forward=A@B, default`);
}
