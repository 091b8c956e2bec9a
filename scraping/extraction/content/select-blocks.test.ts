import { CONTENT_SCOPES } from '../../../core/jobs/job-schemas.ts';
import { parsePage } from '../document/dom.ts';
import { segmentBlocks } from './blocks.ts';
import { selectBlocks } from './select-blocks.ts';

const SENTENCE =
  'Water runs in from above until the levels of both chambers are the same, and the gates open.';

/** Sections with as many words each, which are content with the given probabilities. */
function select(probabilities: readonly number[], scope: (typeof CONTENT_SCOPES)[number]): boolean[] {
  const sections = probabilities.map((_, at) => `<section><p>${at} ${SENTENCE} ${SENTENCE}</p></section>`);
  const document = parsePage(sections.join(''), 'https://site.example/');
  const { blocks } = segmentBlocks(document.body);
  return selectBlocks(blocks, probabilities, { body: document.body, title: '', scope });
}

const count = (kept: readonly boolean[]) => kept.filter(Boolean).length;

describe('the scope of main content', () => {
  const unclear = [0.99, 0.97, 0.8, 0.6, 0.45, 0.35, 0.25, 0.15, 0.03, 0.01];

  it('decides how many of the unclear blocks are kept', () => {
    const [precise = 0, balanced = 0, complete = 0] = CONTENT_SCOPES.map((scope) =>
      count(select(unclear, scope)),
    );
    expect(precise).toBeLessThan(balanced);
    expect(balanced).toBeLessThan(complete);
  });

  it.each(CONTENT_SCOPES)('%s keeps what is clear and drops what is clearly not', (scope) => {
    const kept = select(unclear, scope);
    expect(kept.slice(0, 2)).toEqual([true, true]);
    expect(kept.slice(-2)).toEqual([false, false]);
  });
});
