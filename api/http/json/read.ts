import { isUtf8 } from 'node:buffer';
import { createBreather } from '../../../runtime/breathe.ts';
import { invalidRequest, Problem } from '../problem.ts';
import { type ItemLimits, JsonCheck, JsonProblem } from './check.ts';

/** Checked at once; some milliseconds. */
const SLICE_BYTES = 64 * 1024;

/**
 * The value of a JSON body, once nothing in it stands against that.
 *
 * @throws Problem 400 where it is no JSON, 422 where it is and cannot be kept as it was given
 */
export async function parseJson(body: Buffer): Promise<unknown> {
  const text = withoutMark(body);
  await check(text);
  return JSON.parse(text.toString());
}

/** A body that holds an array of items in one field: what is around them, with an empty array in their place, and each by itself. */
export async function parseJsonWithItems(
  body: Buffer,
  limits: ItemLimits,
): Promise<{ around: unknown; items: () => AsyncGenerator<unknown> }> {
  const text = withoutMark(body);
  const ranges = await check(text, limits);
  const begin = ranges[0]?.[0] ?? text.length;
  const end = ranges.at(-1)?.[1] ?? text.length;
  return {
    around: JSON.parse(`${text.toString('utf8', 0, begin)}${text.toString('utf8', end)}`),
    items: async function* () {
      const breathe = createBreather();
      for (const [from, to] of ranges) {
        yield JSON.parse(text.toString('utf8', from, to));
        await breathe();
      }
    },
  };
}

/** Some editors and .NET put it there; it says nothing that JSON does not. */
const withoutMark = (body: Buffer): Buffer =>
  body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;

async function check(text: Buffer, limits?: ItemLimits): Promise<JsonCheck['items']> {
  // A decoder would put replacement characters where the bytes are wrong, and store what nobody sent.
  if (!isUtf8(text)) throw malformed('the body is not UTF-8');
  const check = new JsonCheck(text, limits);
  const breathe = createBreather();
  try {
    while (!check.advance(SLICE_BYTES)) await breathe();
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    if (error.kind === 'syntax') throw malformed(`the body is not JSON: ${error.message}`);
    throw invalidRequest([{ path: error.path.join('.'), message: error.message }]);
  }
  return check.items;
}

const malformed = (detail: string) => new Problem(400, 'malformed_json', detail);
