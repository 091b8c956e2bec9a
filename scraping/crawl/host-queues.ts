/**
 * Items that wait, a queue per host. Hosts take turns and each gives its items in order, so that one large host does not hold up
 * the others. Adding and taking cost the same however many items wait.
 */
export class HostQueues<Item> {
  readonly #queues = new Map<string, Queue<Item>>();
  /** Hosts that have items. */
  readonly #turns = new Queue<string>();

  push(host: string, item: Item): void {
    let queue = this.#queues.get(host);
    if (!queue) {
      queue = new Queue();
      this.#queues.set(host, queue);
      this.#turns.push(host);
    }
    queue.push(item);
  }

  /** The next; undefined if none waits, or only at these hosts. */
  take(exceptHosts: { has(host: string): boolean }): Item | undefined {
    for (let hosts = this.#turns.size; hosts > 0; hosts -= 1) {
      const host = this.#turns.shift() as string;
      const queue = this.#queues.get(host);
      const item = exceptHosts.has(host) ? undefined : queue?.shift();
      if (queue && queue.size > 0) this.#turns.push(host);
      else this.#queues.delete(host);
      if (item !== undefined) return item;
    }
    return undefined;
  }
}

/** First in, first out: an array that forgets its front now and then, and not with every item as `shift` does. */
class Queue<Item> {
  #items: Item[] = [];
  #front = 0;

  get size(): number {
    return this.#items.length - this.#front;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  shift(): Item | undefined {
    const item = this.#items[this.#front];
    if (this.#front < this.#items.length) this.#front += 1;
    if (this.#front > 1000 && this.#front * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#front);
      this.#front = 0;
    }
    return item;
  }
}
