import { CommandError, type Run } from '../command.js';
import { withStore } from '../store.js';
import { timeText } from '../text.js';
import { type EntryView, entryView } from './view.js';

export const run: Run = (call) =>
  withStore(call, async ({ store }) => {
    const identificativo = call.argument(0).replace(/^<|>$/g, '');
    const rows = await store.read('searchRegister', { identificativo, limit: 10_000 });
    if (rows.length === 0) throw new CommandError(`nothing about ${identificativo} in the register`);
    const entries = rows.map(entryView);
    if (call.json) {
      call.print(JSON.stringify(entries, null, 2));
      return 0;
    }
    for (const entry of entries) for (const line of entryLines(entry)) call.print(line);
    const receipts = await store.read('findReceipts', { identificativo });
    call.print(`receipts kept: ${receipts.length}`);
    for (const { at, kind, recipient, direction } of receipts) {
      call.print(`  ${timeText(at)}  ${direction}  ${kind}  ${recipient}`.trimEnd());
    }
    return 0;
  });

function entryLines(entry: EntryView): string[] {
  const { at, event, sender, recipients, subject, related, gestore, detail, lane, seq } = entry;
  return [
    `${at}  ${event}  (lane ${lane}, ${seq})`,
    `  gestore     ${gestore}`,
    `  sender      ${sender}`,
    `  recipients  ${recipients.join(', ')}`,
    `  subject     ${JSON.stringify(subject)}`,
    ...(related.length === 0 ? [] : [`  related     ${related.join(', ')}`]),
    ...Object.entries(detail).map(([name, value]) => `  ${name.padEnd(10)}  ${JSON.stringify(value)}`),
    '',
  ];
}
