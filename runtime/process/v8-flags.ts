import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 wait longer before it compiles a hot function to its best code, for a process that works beside a browser on the same
 * cores. Left to itself it optimises what it has seen little of, throws that away when the next page is different, and does it again:
 * over 200 pages 10 ms of processor time a page went into compiling, 3 this way, and what it compiles then is better (a page in
 * threads that are warm: 8.3 ms instead of 11.0). Default 67,584 with V8 11.3 to 13; read anew each time a function spends it up.
 */
export function applyV8Flags(): void {
  setFlagsFromString('--interrupt-budget=1500000');
}
