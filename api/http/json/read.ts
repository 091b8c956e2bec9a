import { isUtf8 } from 'node:buffer';
import { startTimeSlice } from '../../../runtime/time-slice.ts';
import { fieldPath, invalidRequest, Problem } from '../problem.ts';
import { type ItemLimits, JsonCheck, JsonProblem } from './check.ts';

/** Checked per slice; some milliseconds. */
const SLICE_BYTES = 64 * 1024;

/**
 * Parses a JSON body after checking it.
 *
 * @throws Problem 400 if it is not JSON, 422 if it cannot be stored unchanged
 */
export async function parseJson(body: Buffer): Promise<unknown> {
  const text = withoutMark(body);
  await check(text);
  return JSON.parse(text.toString());
}

/**
 * Parses a body with an array of items in one field: the body with that array empty, and each item
 * by itself.
 */
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
      const slice = startTimeSlice();
      for (const [from, to] of ranges) {
        yield JSON.parse(text.toString('utf8', from, to));
        if (slice.isOver) await slice.next();
      }
    },
  };
}

/** A BOM, which some editors and .NET write. */
const withoutMark = (body: Buffer): Buffer =>
  body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;

async function check(text: Buffer, limits?: ItemLimits): Promise<JsonCheck['items']> {
  // A lenient decoder would store replacement characters instead of refusing invalid bytes.
  if (!isUtf8(text)) throw malformed('the body is not UTF-8');
  const check = new JsonCheck(text, limits);
  const slice = startTimeSlice();
  try {
    while (!check.advance(SLICE_BYTES)) if (slice.isOver) await slice.next();
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    if (error.kind === 'syntax') throw malformed(`the body is not JSON: ${error.message}`);
    throw invalidRequest([{ path: fieldPath(error.path), message: error.message }]);
  }
  return check.items;
}

const malformed = (detail: string) => new Problem(400, 'malformed_json', detail);
