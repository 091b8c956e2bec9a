import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { EVENT_SCHEMAS } from '../core/events/event-schemas.ts';
import { EVENT_VERSION } from '../core/events/events.ts';

test('docs/reference/events.md lists every type with its version and its fields, and no other', () => {
  const text = readFileSync(join(import.meta.dirname, '..', 'docs', 'reference', 'events.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z]+\.[a-z_]+)` \| (\S+) \| (.+) \| `(.+)` \|$/gm)];
  const documented = rows.map(([, type, version, , data]) => ({ type, version, data }));
  expect(documented).toEqual(
    Object.entries(EVENT_SCHEMAS).map(([type, schema]) => ({
      type,
      version: EVENT_VERSION,
      data: Object.keys(schema.shape).join(', '),
    })),
  );
});
