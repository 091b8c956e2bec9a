import { expect, test } from '@jest/globals';
import { jsonOf } from './tables.ts';

test.each([0, 1, 3])('JSON of %i rows parses to the same rows', async (count) => {
  const rows = Array.from({ length: count }, (_, number) => ({ number, text: '"</script>"' }));
  let text = '';
  const given = async function* () {
    yield* rows;
  };
  for await (const part of jsonOf('rows', given())) text += part;
  expect(JSON.parse(text)).toEqual({ rows });
});
