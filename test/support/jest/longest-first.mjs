import Sequencer from '@jest/test-sequencer';

/**
 * Test files that run for more than a minute, longest first. They start first: at the end of a run
 * they would leave all but one worker idle, and Jest knows no durations on a machine that never ran
 * them.
 */
const LONGEST = [
  ...['e2e/fleet', 'e2e/chaos', 'e2e/crawl', 'e2e/start', 'e2e/clicks', 'e2e/outages', 'queue/rabbitmq'],
  ...['scraping/egress-browser', 'processes/embedded-postgres', 'e2e/lost-output', 'scraping/odd-answers'],
  ...['notifications/order', 'scraping/content-types', 'queue/embedded', 'e2e/politeness'],
  ...['test/adversarial', 'e2e/notifications', 'scraping/hostile'],
].map((name) => `${name}.test.ts`);

const rankOf = ({ path }) => {
  const rank = LONGEST.findIndex((name) => path.endsWith(name));
  return rank < 0 ? LONGEST.length : rank;
};

export default class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rankOf(a) - rankOf(b));
  }
}
