/**
 * One SQL statement. Named, so that Postgres parses and plans it once per connection: planning a CTE costs more than running it.
 * Made by `statement` alone, which knows all of them: test/integration/db/explain.test.ts looks at the plan of each.
 */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly [known]: true;
}

declare const known: unique symbol;

const statements = new Map<string, Statement>();

/** @throws Error if another statement has the name: a connection would take the one for the other */
export function statement(name: string, text: string): Statement {
  const made = { name, text } as Statement;
  const other = statements.get(name);
  if (other && other.text !== text) throw new Error(`two statements are named ${name}`);
  statements.set(name, made);
  return made;
}

/** Those of all modules that were imported. */
export const allStatements = (): readonly Statement[] => [...statements.values()];
