/** The closest name within an edit distance of two; null if there is none. */
export function nearestName(given: string, names: Iterable<string>): string | null {
  let best: { name: string; distance: number } | null = null;
  for (const name of names) {
    // Short names allow fewer edits: two of three letters make another word.
    const most = Math.min(2, Math.floor(Math.max(given.length, name.length) / 3));
    if (Math.abs(given.length - name.length) > most) continue;
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (distance <= most && (best === null || distance < best.distance)) best = { name, distance };
  }
  return best?.name ?? null;
}

export function unknownField(given: string, names: Iterable<string>): string {
  const nearest = nearestName(given, names);
  return nearest === null ? 'unknown field' : `unknown field, did you mean \`${nearest}\`?`;
}

/** Damerau-Levenshtein (optimal string alignment) distance. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= a.length; row += 1) {
    rows.push([row]);
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (same ? 0 : 1),
      );
      if (a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, at(row - 2, column - 2) + 1);
      }
      (rows[row] as number[])[column] = least;
    }
  }
  return at(a.length, b.length);
}
