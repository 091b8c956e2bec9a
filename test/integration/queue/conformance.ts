import { describe } from '@jest/globals';
import { describeDelivery } from './conformance-delivery.ts';
import type { QueueHarness } from './conformance-fixture.ts';
import { describeOutages } from './conformance-outages.ts';

/** What the rest of the program relies on, whichever driver is behind `Queue`. */
export function describeQueue(name: string, harness: QueueHarness): void {
  describe(`the queue on ${name}`, () => {
    describeDelivery(harness);
    describeOutages(harness);
  });
}
