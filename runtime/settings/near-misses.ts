/** Variables whose names are nearly those of settings, each with the setting that may be meant. */
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
  // Many short names are near another program's variable, so there only one letter may differ.
  return distance(a, b) <= (b.length >= 9 ? 2 : 1);
}

/** Levenshtein distance. */
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
