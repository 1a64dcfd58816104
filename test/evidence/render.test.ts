import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type EvidenceReport, reportsHtml, reportText } from '../../src/evidence/index.js';
import { certified, envelope, everyNotice, notice, sealed, type World, world } from './world.js';

let w: World;
let reports: EvidenceReport[];
before(async () => {
  w = await world();
  reports = [await w.verify(await sealed(await envelope(w.pki.alfa), w.pki.alfa.signer))];
  for (const { by, notification } of await everyNotice())
    reports.push(await w.verify(await sealed(notice(w.pki[by], notification), w.pki[by].signer)));
});

/** A subject that tries to drive the terminal, the page, and the eye. */
const hostile = (): Promise<EvidenceReport> =>
  sealed(
    notice(
      w.pki.alfa,
      { kind: 'accettazione' },
      { ...certified, subject: `<b>x</b>\u202e&${'a'.repeat(200)}` },
    ),
    w.pki.alfa.signer,
  ).then((bytes) => w.verify(bytes));

describe('the text', () => {
  it('fits in 80 columns and says the verdict in both languages', async () => {
    for (const report of [...reports, await hostile()]) {
      const text = reportText(report);
      for (const line of text.split('\n')) assert.ok(Array.from(line).length < 80, line);
      assert.match(text, /^PROVATO \/ PROVEN$/m);
    }
  });

  it('shows no control character of a stranger', async () => {
    const report = { ...(await hostile()), file: 'a\u001b[2J\u0007\u009b\u202e.eml' };
    assert.doesNotMatch(reportText(report), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    assert.doesNotMatch(reportsHtml([report]), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it('does not say that something is proven when it is not', async () => {
    const bytes = await sealed(await envelope(w.pki.alfa), w.pki.alfa.signer);
    const open = reportText(await w.verify(bytes, { trust: 'none' }));
    assert.match(open, /^INDETERMINATO \/ INDETERMINATE$/m);
    assert.doesNotMatch(open, /What it proves/);
  });
});

describe('the page', () => {
  it('stands alone: no script, nothing fetched, Italian first', async () => {
    const page = reportsHtml(reports);
    assert.match(page, /^<!DOCTYPE html>\n<html lang="it">/);
    assert.doesNotMatch(page, /<script|<img|<link|src=|url\(|@import|https?:\/\//i);
    assert.equal(page.match(/<h1>/g)?.length, 1);
    assert.equal(page.match(/<article /g)?.length, reports.length);
    assert.match(page, /<span lang="en">\(PROVEN\)<\/span>/);
  });

  it('has every id once, every link a target, every table head a scope', async () => {
    const page = reportsHtml(reports);
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const [, target] of page.matchAll(/href="#([^"]*)"/g)) assert.ok(ids.includes(target));
    assert.doesNotMatch(page, /<th(?! scope)/);
  });

  it('escapes what strangers write', async () => {
    const page = reportsHtml([await hostile()]);
    assert.ok(page.includes('&lt;b&gt;x&lt;/b&gt;'));
    assert.equal(page.includes('<b>x'), false);
  });
});

describe('the JSON', () => {
  it('has the same shape for every kind', () => {
    const keys = Object.keys(reports[0] ?? {}).sort();
    for (const report of reports) assert.deepEqual(Object.keys(report).sort(), keys);
    assert.deepEqual(JSON.parse(JSON.stringify(reports)), reports);
  });
});
