/** Set variables whose name is no setting but nearly one, each with the setting it may be meant for. */
export function nearMisses(
  given: Iterable<string>,
  known: readonly string[],
): { name: string; meant: string }[] {
  return [...given].flatMap((name) => {
    if (known.includes(name) || name.length < 6) return [];
    const meant = known.find((candidate) => candidate.length >= 6 && isNear(name, candidate));
    return meant ? [{ name, meant }] : [];
  });
}

const letters = (name: string) => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');

function isNear(name: string, candidate: string): boolean {
  const [a, b] = [letters(name), letters(candidate)];
  // Of short names every third is near some other program's: there one letter must do.
  return distance(a, b) <= (b.length >= 9 ? 2 : 1);
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
