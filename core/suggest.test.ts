import { nearestName, unknownField } from './suggest.ts';

const NAMES = ['urls', 'url', 'max_leads', 'max_pages', 'metadata', 'run_at', 'industry'];

test.each([
  ['url', 'url'],
  ['ulrs', 'urls'],
  ['URLs', 'urls'],
  ['urlss', 'urls'],
  ['max_page', 'max_pages'],
  ['maxLeads', 'max_leads'],
  ['meta_data', 'metadata'],
  ['runAt', 'run_at'],
  ['indsutry', 'industry'],
])('%s means %s', (given, meant) => expect(nearestName(given, NAMES)).toBe(meant));

test.each(['colour', 'x', '', 'ab', 'u'.repeat(10_000)])('%s means none of them', (given) => {
  expect(nearestName(given, NAMES)).toBeNull();
  expect(unknownField(given, NAMES)).toBe('unknown field');
});
