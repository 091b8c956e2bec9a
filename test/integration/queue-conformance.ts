import { describe } from '@jest/globals';
import { describeDelivery } from './queue-conformance-delivery.ts';
import type { QueueHarness } from './queue-conformance-fixture.ts';
import { describeOutages } from './queue-conformance-outages.ts';

/** What the rest of the program relies on, whichever driver is behind `Queue`. */
export function describeQueue(name: string, harness: QueueHarness): void {
  describe(`the queue on ${name}`, () => {
    describeDelivery(harness);
    describeOutages(harness);
  });
}
