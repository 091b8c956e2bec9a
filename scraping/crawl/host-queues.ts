/**
 * One FIFO queue per host, served round robin, so that one large host does not block the others.
 * `push` and `take` are O(1) in the number of items.
 */
export class HostQueues<Item> {
  readonly #queues = new Map<string, Queue<Item>>();
  /** Hosts with items, in round-robin order. */
  readonly #hosts = new Queue<string>();

  push(host: string, item: Item): void {
    let queue = this.#queues.get(host);
    if (!queue) {
      queue = new Queue();
      this.#queues.set(host, queue);
      this.#hosts.push(host);
    }
    queue.push(item);
  }

  /** The next item; undefined if none waits, or only at these hosts. */
  take(exceptHosts: { has(host: string): boolean }): Item | undefined {
    for (let hosts = this.#hosts.size; hosts > 0; hosts -= 1) {
      const host = this.#hosts.shift() as string;
      const queue = this.#queues.get(host);
      const item = exceptHosts.has(host) ? undefined : queue?.shift();
      if (queue && queue.size > 0) this.#hosts.push(host);
      else this.#queues.delete(host);
      if (item !== undefined) return item;
    }
    return undefined;
  }
}

/**
 * An array whose consumed front is dropped now and then: `Array.shift` is O(n) for a long array.
 */
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
